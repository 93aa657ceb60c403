fn main() -> std::process::ExitCode {
    ktrdr_ib_host_sim::main()
}
