//! A request written byte by byte, for what a proper client would never send.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Sends a body with its length announced or in chunks; gives status and whole answer. The server may answer and
/// hang up before it has read everything.
pub async fn send(
    url: &str,
    method: &str,
    path: &str,
    head: &[(&str, String)],
    body: &[u8],
    chunked: bool,
) -> (u16, String) {
    let address = url.trim_start_matches("http://").to_owned();
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    for (name, value) in head {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    let mut parts = vec![];
    if chunked {
        request.push_str("transfer-encoding: chunked\r\n\r\n");
        for piece in body.chunks(16 * 1024) {
            parts.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
            parts.extend_from_slice(piece);
            parts.extend_from_slice(b"\r\n");
        }
        parts.extend_from_slice(b"0\r\n\r\n");
    } else {
        request.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
        parts.extend_from_slice(body);
    }
    tokio::task::spawn_blocking(move || exchange(&address, request.as_bytes(), &parts))
        .await
        .unwrap()
}

fn exchange(address: &str, head: &[u8], body: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(head).unwrap();
    // Writing while reading: an answer that comes early must not be lost to a hang-up.
    let mut writer = stream.try_clone().unwrap();
    let body = body.to_vec();
    let writing = std::thread::spawn(move || {
        let _ = writer.write_all(&body);
    });
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut piece) {
        answer.extend_from_slice(&piece[..count]);
    }
    let _ = writing.join();
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text
        .get(9..12)
        .and_then(|status| status.parse().ok())
        .unwrap_or(0);
    (status, text)
}
