//! `cargo perf`: see `ktrdr_tests::perf`.

fn main() -> std::process::ExitCode {
    ktrdr_tests::perf::main()
}
