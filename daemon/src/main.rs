fn main() -> std::process::ExitCode {
    ktrdrd::main()
}
