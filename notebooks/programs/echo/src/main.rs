//! A server that sends back what it reads, with one task for each connection, and its buffer in
//! one of three places.
//!
//! `echo in-future|in-box|when-needed COUNT STEPS`
//!
//! Both ends stand in this process. A client says one word, hears it, and is silent from then on.

mod files;
mod handlers;

use std::io::{Read, Result, Write};
use std::net::{Ipv4Addr, TcpStream as Client};
use tokio::net::{TcpListener, TcpStream};

fn serve<F: Future<Output = Result<()>> + Send + 'static>(
    handler: fn(TcpStream) -> F,
    count: usize,
    steps: usize,
) -> Result<()> {
    let connections = (1 + steps) * count;
    files::allow(2 * connections as u64 + 50)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_io()
        .build()?;
    let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
    let address = listener.local_addr()?;
    let mut clients = Vec::with_capacity(connections);
    println!("future {}", size_of::<F>());
    for step in 0..=steps {
        for _ in 0..count {
            let mut client = Client::connect(address)?;
            let (socket, _) = runtime.block_on(listener.accept())?;
            runtime.spawn(handler(socket));
            client.write_all(b"word")?;
            let mut heard = [0; 4];
            client.read_exact(&mut heard)?;
            assert_eq!(&heard, b"word");
            clients.push(client);
        }
        let connections = (1 + step) * count;
        if let Some(resident) = bytes_of("/proc/self/smaps_rollup", "Rss:") {
            println!("reading {connections} {resident}");
        }
        if let Some(kernel) = bytes_of("/proc/meminfo", "Slab:") {
            println!("kernel {connections} {kernel}");
        }
    }
    Ok(())
}

/// What a file of the system says in its line of that name.
fn bytes_of(file: &str, name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(1024 * kibibytes)
}

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |place: usize| words[place].parse().expect("a number");
    let (count, steps) = (number(1), number(2));
    match words[0].as_str() {
        "in-future" => serve(handlers::in_future, count, steps),
        "in-box" => serve(handlers::in_box, count, steps),
        _ => serve(handlers::when_needed, count, steps),
    }
}
