//! A socket on its connection: bytes in, bytes out. It is polled when either can move, when its queue has something,
//! and when one of its times is due.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::rt::net::TcpStream;
use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::socket::Socket;

/// Bytes that are read at once.
const READ: usize = 4096;

/// A socket and its connection, until either ends.
pub struct Driven {
    socket: Box<Socket>,
    connection: TcpStream,
}

impl Driven {
    /// A socket whose handshake has been answered, and what the client sent before it knew.
    pub fn new(mut socket: Box<Socket>, connection: TcpStream, early: &[u8]) -> Self {
        if !early.is_empty() {
            socket.heard(early);
        }
        Self { socket, connection }
    }

    /// Reads what has arrived. Says whether there was anything; an error when the client has gone.
    fn read(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        if !self.socket.listens() {
            return Ok(false);
        }
        let mut space = [0; READ];
        let mut read = ReadBuf::new(&mut space);
        match Pin::new(&mut self.connection).poll_read(cx, &mut read) {
            Poll::Pending => Ok(false),
            Poll::Ready(Err(error)) => Err(error),
            Poll::Ready(Ok(())) if read.filled().is_empty() => Err(io::ErrorKind::UnexpectedEof.into()),
            Poll::Ready(Ok(())) => {
                self.socket.heard(read.filled());
                Ok(true)
            }
        }
    }

    /// Writes what waits. Says whether any of it went.
    fn write(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        let mut went = false;
        let out = self.socket.out();
        while !out.is_empty() {
            match Pin::new(&mut self.connection).poll_write(cx, out) {
                Poll::Pending => return Ok(went),
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(count)) => out.advance(count),
            }
            went = true;
        }
        if went {
            // Nothing is kept for a connection that is told nothing.
            *out = BytesMut::new();
            self.socket.flushed();
        }
        Ok(went)
    }

    /// Does all that can be done now. Says whether there may be more.
    fn step(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        let mut moved = self.read(cx)?;
        moved |= self.socket.step(cx);
        moved |= self.write(cx)?;
        Ok(moved)
    }
}

impl Future for Driven {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let driven = self.get_mut();
        loop {
            match driven.step(cx) {
                // It is gone.
                Err(_) => return Poll::Ready(()),
                Ok(_) if driven.socket.is_over() => return Poll::Ready(()),
                Ok(true) => {}
                Ok(false) => return Poll::Pending,
            }
        }
    }
}
