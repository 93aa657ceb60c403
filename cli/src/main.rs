fn main() -> std::process::ExitCode {
    ktrdr::main()
}
