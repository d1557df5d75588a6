//! The front of the built-in broker: takes the connections, turns away those
//! that would hurt the router behind it, and passes the others on, byte by
//! byte, to the router's private port for their version.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use super::connect::{First, Version, first};

/// How long a client has to send its CONNECT, and the router to answer it.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long one side may still send after the other has closed.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// The router's private ports.
#[derive(Clone, Copy, Debug)]
pub(super) struct Behind {
    pub v4: SocketAddr,
    pub v5: SocketAddr,
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

async fn pass(mut client: TcpStream, behind: Behind) -> Result<(), String> {
    let said = |e: std::io::Error| e.to_string();
    client.set_nodelay(true).map_err(said)?;
    let mut begun = Vec::with_capacity(256);
    let version = timeout(HANDSHAKE, read_connect(&mut client, &mut begun))
        .await
        .map_err(|_| "it sent no CONNECT in time")??;

    let address = match version {
        Version::V4 => behind.v4,
        Version::V5 => behind.v5,
    };
    let mut router = TcpStream::connect(address).await.map_err(said)?;
    router.set_nodelay(true).map_err(said)?;
    router.write_all(&begun).await.map_err(said)?;
    // Wait for the answer whether or not the client still does: a CONNACK
    // that the router can't write makes it panic when the same client comes
    // back.
    let mut answer = [0; 4096];
    let length = timeout(HANDSHAKE, router.read(&mut answer))
        .await
        .map_err(|_| "the router gave no answer in time")?
        .map_err(said)?;
    client.write_all(&answer[..length]).await.map_err(said)?;

    let (mut from_client, mut to_client) = client.split();
    let (mut from_router, mut to_router) = router.split();
    let up = async {
        let _ = copy(&mut from_client, &mut to_router).await;
        let _ = to_router.shutdown().await;
    };
    let down = async {
        let _ = copy(&mut from_router, &mut to_client).await;
        let _ = to_client.shutdown().await;
    };
    tokio::pin!(up, down);
    tokio::select! {
        () = &mut up => drop(timeout(LAST_WORDS, down).await),
        () = &mut down => drop(timeout(LAST_WORDS, up).await),
    }
    Ok(())
}

async fn read_connect(client: &mut TcpStream, begun: &mut Vec<u8>) -> Result<Version, String> {
    loop {
        match first(begun) {
            First::Good { version, .. } => return Ok(version),
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
