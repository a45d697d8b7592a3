//! What is hostile about a connection rather than a request: that it is slow, half open, one of too
//! many, or never ends.

use super::Row;
use super::raw::{Answer, SILENT, exchange, say_and_listen};
use crate::stage::Stage;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// How long a client may take to say what it wants, before it is answered 408 or hung up on.
const SLOWEST: Duration = Duration::from_secs(35);
/// How long connections are opened that nobody accepts.
const OPENING: Duration = Duration::from_secs(15);
/// Of a server that was asked to end, whatever clients do.
const END: Duration = Duration::from_secs(30);
/// Of a server that was asked a second time.
const END_AT_ONCE: Duration = Duration::from_secs(2);

/// So many connections that say `begin` and then a byte every half second, until they are hung up
/// on.
pub async fn drip(address: &str, begin: &[u8], count: usize) -> Vec<Answer> {
    let mut all = JoinSet::new();
    for _ in 0..count {
        let (address, begin) = (address.to_owned(), begin.to_vec());
        all.spawn(async move {
            let Ok(mut stream) = TcpStream::connect(&address).await else { return Answer::default() };
            let began = Instant::now();
            let mut next = begin;
            while began.elapsed() < SLOWEST {
                let answer = say_and_listen(&mut stream, &next, Duration::from_millis(500)).await;
                if answer.status != SILENT {
                    return answer;
                }
                next = b"x".to_vec();
            }
            Answer { status: SILENT, text: String::new() }
        });
    }
    all.join_all().await
}

/// So many connections that are opened and say nothing, and what somebody is answered beside them.
pub async fn half_open(address: &str, count: usize) -> Vec<Answer> {
    let mut open = Vec::new();
    let began = Instant::now();
    for _ in 0..count {
        if began.elapsed() > OPENING {
            break;
        }
        // One that is refused is one less to bear.
        if let Ok(Ok(stream)) = tokio::time::timeout(Duration::from_secs(2), TcpStream::connect(address)).await {
            open.push(stream);
        }
    }
    let request = b"GET /healthz HTTP/1.1\r\nHost: flawless.test\r\nConnection: close\r\n\r\n";
    let mut answers = Vec::new();
    for _ in 0..10 {
        answers.push(exchange(address, request, Duration::from_secs(5)).await);
    }
    answers
}

/// A body whose pieces never end.
pub async fn endless(address: &str, head: &[u8], piece: &[u8]) -> Vec<Answer> {
    let Ok(mut stream) = TcpStream::connect(address).await else { return Vec::new() };
    let began = Instant::now();
    let mut next = head.to_vec();
    // As much in all as no route takes.
    for _ in 0..4_096 {
        let mut answer = say_and_listen(&mut stream, &next, Duration::from_millis(1)).await;
        if answer.status != SILENT {
            return vec![answer];
        }
        if stream.write_all(piece).await.is_err() || began.elapsed() > SLOWEST {
            answer = say_and_listen(&mut stream, b"", Duration::from_secs(1)).await;
            answer.status = if answer.status == SILENT { 0 } else { answer.status };
            return vec![answer];
        }
        next = Vec::new();
    }
    vec![say_and_listen(&mut stream, b"", SLOWEST).await]
}

/// A server ends when it is asked to, though a client is within its head; and at once when it is
/// asked again.
pub async fn ends(stage: &mut Stage) -> Vec<Row> {
    let mut rows = Vec::new();
    for (name, twice, most) in
        [("SIGTERM with clients within head and body", false, END), ("a second SIGTERM", true, END_AT_ONCE)]
    {
        let server = &mut stage.servers[0];
        let mut open = Vec::new();
        for begin in ["GET / HTTP/1.1\r\nHost: fla", "POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\nto"]
        {
            if let Ok(mut stream) = TcpStream::connect(server.address()).await {
                let _ = stream.write_all(begin.as_bytes()).await;
                open.push(stream);
            }
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        let began = Instant::now();
        if twice {
            server.signal("TERM");
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        let ended = server.terminate(most).await;
        let broken = if ended.is_none() { vec![format!("it did not end within {most:?}")] } else { Vec::new() };
        let answers = if ended.is_some() { "ended" } else { "killed" }.to_owned();
        let row = Row {
            name: name.to_owned(),
            answers,
            took: began.elapsed(),
            memory_before: 0,
            memory: 0,
            health: Duration::ZERO,
            broken,
        };
        rows.push(row);
        server.start().await.expect("it starts again");
    }
    rows
}
