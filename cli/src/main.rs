//! The program.

/// musl's own allocator maps and unmaps memory for each small thing: half of a command's time.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> std::process::ExitCode {
    ktrdr::main()
}
