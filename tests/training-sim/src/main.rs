fn main() -> std::process::ExitCode {
    ktrdr_training_sim::main()
}
