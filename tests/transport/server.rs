//! A server on a free port that answers what a test tells it to, byte for byte.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A request as it arrived.
#[derive(Debug, Clone, Default)]
pub struct Received {
    pub line: String,
    headers: Vec<(String, String)>,
    pub body: String,
    /// The number of the connection it came on.
    pub connection: usize,
}

impl Received {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

pub struct Server {
    pub address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Server {
    /// Answers the n-th request (from 0) with the bytes of `answer(n, request)`. No bytes: the
    /// connection is closed instead. Bytes that begin with [`cut`] are followed by closing it.
    pub async fn start(answer: impl Fn(usize, &Received) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let (log, answer) = (received.clone(), Arc::new(answer));
        tokio::spawn(async move {
            for connection in 0.. {
                let Ok((stream, _)) = listener.accept().await else { return };
                let (log, answer) = (log.clone(), answer.clone());
                tokio::spawn(async move {
                    let _ = serve(stream, connection, &log, &*answer).await;
                });
            }
        });
        Server { address, received }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

async fn serve(
    stream: TcpStream,
    connection: usize,
    log: &Mutex<Vec<Received>>,
    answer: &(dyn Fn(usize, &Received) -> Vec<u8> + Send + Sync),
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut request = Received { connection, ..Received::default() };
        stream.read_line(&mut request.line).await?;
        if request.line.is_empty() {
            return Ok(());
        }
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).await?;
            let Some((name, value)) = line.trim().split_once(": ") else { break };
            request.headers.push((name.to_owned(), value.to_owned()));
        }
        let length = request.header("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        request.body = String::from_utf8(body).unwrap();
        request.line = request.line.trim().trim_end_matches(" HTTP/1.1").to_owned();
        let number = {
            let mut log = log.lock().unwrap();
            log.push(request.clone());
            log.len() - 1
        };
        let bytes = answer(number, &request);
        stream.write_all(bytes.strip_prefix(CUT).unwrap_or(&bytes)).await?;
        stream.flush().await?;
        if bytes.is_empty() || bytes.starts_with(CUT) {
            return Ok(());
        }
    }
}

const CUT: &[u8] = b"cut:";

/// An answer after which the connection is closed.
pub fn cut(answer: Vec<u8>) -> Vec<u8> {
    [CUT, &answer].concat()
}

/// An answer with a JSON body. `status` is e.g. `200 OK`, `headers` end in line breaks each.
pub fn json(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    raw(status, &format!("content-type: application/json; charset=utf-8\r\n{headers}"), body)
}

pub fn raw(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

pub fn ok() -> Vec<u8> {
    json("200 OK", "", "{\"ok\": true}")
}
