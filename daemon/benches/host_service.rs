//! What the base of host services adds to a call: `cargo bench -p ktrdrd --bench host_service`.
//!
//! The same request to the same small server in this process, interleaved: through the pool, on a bare `hyper` connection
//! that is kept, and on a new connection each time. Nothing is asserted on time; the ratio is what counts. With `--samples` all of
//! them as one document, for `cargo perf`, which holds them against their budget.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints what it measured, and stops when it cannot"
)]

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use ktrdrd::host_service::{Address, Call, HostConfig, HostService, Route};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const ROUNDS: usize = 4_000;
const WARM_UP: usize = 400;
const LIST: Route = Route::get("/training/sessions", 10, 0);
const ANSWER: &str = r#"{"total_sessions":1,"sessions":[{"session_id":"op_training_1","status":"running","progress":{"epoch":3,"total_epochs":10,"batch":7,"total_batches":32,"progress_percent":30.0},"gpu_allocated":false,"error":null}],"timestamp":"2026-11-29T20:00:00"}"#;

/// Answers every request with the same list, as fast as it can.
async fn serve(listener: TcpListener) {
    loop {
        let Ok((mut stream, _)) = listener.accept().await else { return };
        stream.set_nodelay(true).unwrap();
        tokio::spawn(async move {
            let reply = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{ANSWER}",
                ANSWER.len()
            );
            let mut buffer = vec![0; 4096];
            let mut seen = 0;
            while let Ok(read @ 1..) = stream.read(&mut buffer[seen..]).await {
                seen += read;
                if buffer[..seen].ends_with(b"\r\n\r\n") {
                    seen = 0;
                    stream.write_all(reply.as_bytes()).await.unwrap();
                }
            }
        });
    }
}

async fn connect(port: u16) -> SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

async fn bare(sender: &mut SendRequest<Full<Bytes>>, port: u16) -> usize {
    sender.ready().await.unwrap();
    let request = Request::builder().uri("/training/sessions").header("host", format!("127.0.0.1:{port}"));
    let response = sender.send_request(request.body(Full::default()).unwrap()).await.unwrap();
    response.into_body().collect().await.unwrap().to_bytes().len()
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(serve(listener));
    let address = Address::parse(&format!("http://127.0.0.1:{port}")).unwrap();
    let config =
        HostConfig { name: "bench".into(), kind: "training", address, connections: 4, ca_file: None, hurry: 1 };
    let service = HostService::new(config).unwrap();
    let mut kept = connect(port).await;

    let [mut pooled, mut on_kept, mut anew] = [Vec::new(), Vec::new(), Vec::new()];
    for round in 0..ROUNDS + WARM_UP {
        // a different one begins each round
        for turn in 0..3 {
            let began = Instant::now();
            let (length, times) = match (round + turn) % 3 {
                0 => (service.call(&Call::of(&LIST)).await.unwrap().body.len(), &mut pooled),
                1 => (bare(&mut kept, port).await, &mut on_kept),
                _ => (bare(&mut connect(port).await, port).await, &mut anew),
            };
            let took = began.elapsed();
            assert_eq!(length, ANSWER.len());
            if round >= WARM_UP {
                times.push(took);
            }
        }
    }
    if std::env::args().any(|word| word == "--samples") {
        let [pooled, kept, anew] =
            [pooled, on_kept, anew].map(|times| times.iter().map(Duration::as_secs_f64).collect::<Vec<_>>());
        println!("{}", serde_json::json!({ "pooled": pooled, "kept": kept, "anew": anew }));
        return;
    }
    let [pooled, on_kept, anew] = [&mut pooled, &mut on_kept, &mut anew].map(|times| median(times).as_secs_f64() * 1e6);
    println!("{:<34} {:>10} {:>8}   wanted", "a request to a host service", "median", "ratio");
    println!("{:<34} {on_kept:>7.1} µs {:>8}", "bare hyper, connection kept", "1");
    println!("{:<34} {pooled:>7.1} µs {:>8.2}   ≤ 1.15", "through the pool", pooled / on_kept);
    println!("{:<34} {anew:>7.1} µs {:>8.2}", "bare hyper, a new connection each", anew / on_kept);
    println!("connections opened by the pool: {}", service.status().pool.opened);
}
