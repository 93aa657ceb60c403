fn main() -> std::process::ExitCode {
    ktrdr_gateway_sim::main()
}
