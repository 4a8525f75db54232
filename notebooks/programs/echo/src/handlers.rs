//! What a task does for its connection, with the buffer in one of three places.

use std::io::{ErrorKind, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const BUFFER: usize = 4_096;

pub async fn in_future(mut socket: TcpStream) -> Result<()> {
    let mut buffer = [0; BUFFER];
    loop {
        let length = socket.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        socket.write_all(&buffer[..length]).await?;
    }
}

pub async fn in_box(mut socket: TcpStream) -> Result<()> {
    let mut buffer = Box::new([0; BUFFER]);
    loop {
        let length = socket.read(&mut buffer[..]).await?;
        if length == 0 {
            return Ok(());
        }
        socket.write_all(&buffer[..length]).await?;
    }
}

pub async fn when_needed(mut socket: TcpStream) -> Result<()> {
    loop {
        socket.readable().await?;
        let mut buffer = Box::new([0; BUFFER]);
        match socket.try_read(&mut buffer[..]) {
            Ok(0) => return Ok(()),
            Ok(length) => socket.write_all(&buffer[..length]).await?,
            Err(why) if why.kind() == ErrorKind::WouldBlock => {}
            Err(why) => return Err(why),
        }
    }
}
