//! A request written byte by byte, for what a proper client would never send.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
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
        request.extend([name, ": ", value.as_str(), "\r\n"]);
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
        request.extend(["content-length: ", &body.len().to_string(), "\r\n\r\n"]);
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
    while !is_whole(&answer) {
        match stream.read(&mut piece) {
            Ok(count @ 1..) => answer.extend_from_slice(&piece[..count]),
            _ => break,
        }
    }
    // The server waits a while for the rest of what it refused; it need not.
    let _ = stream.shutdown(Shutdown::Both);
    let _ = writing.join();
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text
        .get(9..12)
        .and_then(|status| status.parse().ok())
        .unwrap_or(0);
    (status, text)
}

/// The head has come and as much of a body as it announces.
fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    length.is_some_and(|length| {
        length
            .trim()
            .parse()
            .is_ok_and(|length: usize| body.len() >= length)
    })
}
