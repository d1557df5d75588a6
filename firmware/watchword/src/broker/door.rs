//! The front of the built-in broker: takes the connections, turns away those
//! that would hurt the router behind it, and passes the packets of the others
//! on to the router's private port. That speaks MQTT 5 only; clients of 3.1.1
//! are translated here.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{
    AsyncBufRead, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, copy, copy_buf,
};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use super::connect::{First, LARGEST, Version, first, remaining_length};
use super::translate::{Packet, clients_may_send, kind, to_v4, to_v5};

/// How long a client has to send its CONNECT, and the router to answer it.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long one side may still send after the other has closed.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// The router.
#[derive(Clone, Copy, Debug)]
pub(super) struct Behind {
    /// Its private port, for MQTT 5.
    pub v5: SocketAddr,
    /// The largest packet of a client, bytes after the header.
    pub largest: usize,
}

/// Serves `listeners` until `stop` holds true, then drops every connection;
/// for ever if its sender goes without saying so. At most `places` clients at
/// a time; one more for each port waits here, others in the system's accept
/// queue.
pub(super) async fn serve(
    listeners: Vec<TcpListener>,
    behind: Behind,
    places: usize,
    mut stop: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(places));
    let mut tasks = tokio::task::JoinSet::new();
    for listener in listeners {
        let places = Arc::clone(&places);
        tasks.spawn(accept(listener, behind, places));
    }
    if stop.wait_for(|stopped| *stopped).await.is_err() {
        std::future::pending::<()>().await;
    }
    tasks.shutdown().await;
}

async fn accept(listener: TcpListener, behind: Behind, places: Arc<Semaphore>) {
    // Dropped with this future, and all connections with it.
    let mut clients = tokio::task::JoinSet::new();
    loop {
        let accepted = listener.accept().await;
        // Forget those that are done.
        while clients.try_join_next().is_some() {}
        match accepted {
            Ok((client, _)) => {
                let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                    return;
                };
                clients.spawn(async move {
                    if let Err(why) = pass(client, behind).await {
                        tracing::debug!("the built-in broker dropped a client: {why}");
                    }
                    drop(place);
                });
            }
            Err(e) => {
                // Out of file descriptors, say; a pause lets some come free.
                tracing::warn!("the built-in broker can't accept a client: {e}");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

async fn pass(mut client: TcpStream, router: Behind) -> Result<(), String> {
    let said = |e: std::io::Error| e.to_string();
    client.set_nodelay(true).map_err(said)?;
    let mut begun = Vec::with_capacity(256);
    let (version, length) = timeout(HANDSHAKE, read_connect(&mut client, &mut begun))
        .await
        .map_err(|_| "it sent no CONNECT in time")??;
    let early = begun.split_off(length);

    let limit = router.largest;
    let mut router = TcpStream::connect(router.v5).await.map_err(said)?;
    router.set_nodelay(true).map_err(said)?;
    if version == Version::V4 {
        let connect = read_packet(&mut &begun[..], LARGEST).await.map_err(said)?;
        let connect = connect.and_then(to_v5).ok_or("its CONNECT is malformed")?;
        write_packet(&mut router, connect).await.map_err(said)?;
    } else {
        router.write_all(&begun).await.map_err(said)?;
    }
    // Wait for the answer whether or not the client still does: a CONNACK
    // that the router can't write makes it panic when the same client comes
    // back.
    let answer = timeout(HANDSHAKE, read_packet(&mut router, LARGEST))
        .await
        .map_err(|_| "the router gave no answer in time")?
        .map_err(said)?
        .filter(|answer| answer.kind() == kind::CONNACK)
        .ok_or("the router gave no answer")?;
    let answer = match version {
        Version::V4 => to_v4(answer).map_err(|()| "the router's answer is malformed")?,
        Version::V5 => Some(answer),
    };
    if let Some(answer) = answer {
        write_packet(&mut client, answer).await.map_err(said)?;
    }

    let (from_client, mut to_client) = client.split();
    let (from_router, mut to_router) = router.split();
    let mut from_client = BufReader::new((&early[..]).chain(from_client));
    let up = async {
        let why = match version {
            Version::V4 => up_v4(&mut from_client, &mut to_router, limit).await,
            Version::V5 => up_v5(&mut from_client, &mut to_router, limit).await,
        };
        let _ = to_router.shutdown().await;
        why
    };
    let down = async {
        let why = match version {
            Version::V4 => down_v4(&mut BufReader::new(from_router), &mut to_client).await,
            Version::V5 => {
                let mut from_router = from_router;
                copy(&mut from_router, &mut to_client).await.map(drop)
            }
        };
        let _ = to_client.shutdown().await;
        why
    };
    tokio::pin!(up, down);
    let why = tokio::select! {
        why = &mut up => { let _ = timeout(LAST_WORDS, down).await; why }
        why = &mut down => { let _ = timeout(LAST_WORDS, up).await; why }
    };
    why.map_err(said)
}

// Each of these holds one packet at a time and takes the next only when that
// is written, so a receiver that is slow slows the sender down.

async fn up_v4(
    from: &mut (impl AsyncBufRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    limit: usize,
) -> io::Result<()> {
    while let Some(packet) = read_packet(from, limit).await? {
        let packet = Some(packet)
            .filter(|p| clients_may_send(p.first))
            .and_then(to_v5)
            .ok_or_else(|| malformed("it sent a malformed packet"))?;
        write_packet(to, packet).await?;
    }
    Ok(())
}

/// Changes nothing; looks at the headers only.
async fn up_v5(
    from: &mut (impl AsyncBufRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    limit: usize,
) -> io::Result<()> {
    while let Some((first, length)) = read_header(from, limit).await? {
        if !clients_may_send(first) {
            return Err(malformed("it sent a packet that is not a client's"));
        }
        to.write_all(&Packet::header(first, length)).await?;
        let mut body = from.take(length as u64);
        if copy_buf(&mut body, to).await? < length as u64 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}

async fn down_v4(
    from: &mut (impl AsyncBufRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
) -> io::Result<()> {
    // The router sends only what it took.
    while let Some(packet) = read_packet(from, usize::MAX).await? {
        let packet = to_v4(packet).map_err(|()| malformed("the router's packet is malformed"))?;
        if let Some(packet) = packet {
            write_packet(to, packet).await?;
        }
    }
    Ok(())
}

async fn read_connect(
    client: &mut TcpStream,
    begun: &mut Vec<u8>,
) -> Result<(Version, usize), String> {
    loop {
        match first(begun) {
            First::Good { version, length } => return Ok((version, length)),
            First::Garbage(why) => return Err(why.into()),
            First::Refuse(answer, why) => {
                let _ = client.write_all(answer).await;
                let _ = client.shutdown().await;
                return Err(why.into());
            }
            First::Incomplete => {
                let read = client.read_buf(begun).await.map_err(|e| e.to_string())?;
                if read == 0 {
                    return Err("it closed before its CONNECT".into());
                }
            }
        }
    }
}

/// The first byte of the next packet and how many follow its header; `None`
/// at the end.
async fn read_header(
    from: &mut (impl AsyncRead + Unpin),
    limit: usize,
) -> io::Result<Option<(u8, usize)>> {
    let first = match from.read_u8().await {
        Ok(first) => first,
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(e) => return Err(e),
    };
    let mut bytes = Vec::with_capacity(4);
    loop {
        bytes.push(from.read_u8().await?);
        match remaining_length(&bytes) {
            None => {}
            Some(Ok((length, _))) if length <= limit => return Ok(Some((first, length))),
            Some(Ok(_)) => return Err(malformed("it sent a packet that is too large")),
            Some(Err(())) => return Err(malformed("it sent a malformed length")),
        }
    }
}

async fn read_packet(
    from: &mut (impl AsyncRead + Unpin),
    limit: usize,
) -> io::Result<Option<Packet>> {
    let Some((first, length)) = read_header(from, limit).await? else {
        return Ok(None);
    };
    // Grows with what comes, not with what is announced.
    let mut body = Vec::new();
    from.take(length as u64).read_to_end(&mut body).await?;
    if body.len() < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(Packet { first, body }))
}

async fn write_packet(to: &mut (impl AsyncWrite + Unpin), packet: Packet) -> io::Result<()> {
    let mut bytes = Packet::header(packet.first, packet.body.len());
    if packet.body.len() <= 4096 {
        bytes.extend(packet.body);
        return to.write_all(&bytes).await;
    }
    to.write_all(&bytes).await?;
    to.write_all(&packet.body).await
}

fn malformed(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
