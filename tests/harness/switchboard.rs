//! The line to a PostgreSQL server, which can be cut: so that connections are refused, or so that
//! nothing is ever answered.

use std::sync::{Arc, Mutex};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What becomes of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    Open,
    /// They are held, and nothing comes through, as where a machine is gone from the network.
    Silent,
    /// They are closed, as where the server is stopped.
    Refused,
}

/// A line to a server.
pub struct Switchboard {
    url: String,
    line: watch::Sender<Line>,
    task: JoinHandle<()>,
}

impl Switchboard {
    /// A line to the server of this URL.
    pub async fn to(url: &str) -> Self {
        let mut url = url::Url::parse(url).unwrap();
        let server = (url.host_str().unwrap().to_owned(), url.port().unwrap_or(5432));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        let (line, state) = watch::channel(Line::Open);
        let task = tokio::spawn(connect(listener, server, state));
        Self { url: url.to_string(), line, task }
    }

    /// The URL of the server by this line.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Cuts it.
    pub fn cut(&self, silent: bool) {
        self.line.send(if silent { Line::Silent } else { Line::Refused }).unwrap();
    }

    /// Mends it for new connections. Those that were cut stay silent, as where another machine
    /// answers at the same address from now on.
    pub fn mend(&self) {
        self.line.send(Line::Open).unwrap();
    }
}

impl Drop for Switchboard {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn connect(listener: TcpListener, server: (String, u16), line: watch::Receiver<Line>) {
    // Connections that hear nothing any more.
    let held = Arc::<Mutex<Vec<TcpStream>>>::default();
    while let Ok((client, _)) = listener.accept().await {
        let now = *line.borrow();
        match now {
            Line::Open => {
                tokio::spawn(carry(client, server.clone(), line.clone(), Arc::clone(&held)));
            }
            Line::Silent => held.lock().unwrap().push(client),
            Line::Refused => {}
        }
    }
}

/// Carries what both sides say until the line is cut.
async fn carry(
    mut client: TcpStream,
    server: (String, u16),
    mut line: watch::Receiver<Line>,
    held: Arc<Mutex<Vec<TcpStream>>>,
) {
    let mut there = TcpStream::connect((server.0.as_str(), server.1)).await.unwrap();
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut there) => {}
        cut = line.wait_for(|line| *line != Line::Open) => {
            if cut.is_ok_and(|line| *line == Line::Silent) {
                held.lock().unwrap().push(client);
            }
        }
    }
}
