//! The program; what it does is in the library.

/// What a crowd of connections or a large answer took goes back to the system within seconds, and what lives long lies close together:
/// glibc's allocator keeps the most that there ever was. How it is set is in `.cargo/config.toml`, read when it is built.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    ktrdrd::main()
}
