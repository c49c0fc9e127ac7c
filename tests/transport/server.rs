//! A test server on a free port that sends exactly the bytes a test provides.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A request as received.
#[derive(Debug, Clone, Default)]
pub struct RecordedRequest {
    pub line: String,
    headers: Vec<(String, String)>,
    pub body: String,
    /// The number of its connection.
    pub connection: usize,
}

impl RecordedRequest {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

pub struct Server {
    pub address: SocketAddr,
    received: Arc<Mutex<Vec<RecordedRequest>>>,
}

impl Server {
    /// Sends the bytes of `respond(n, request)` for the n-th request, starting at 0. If the bytes are empty,
    /// the connection is closed instead; after bytes from [`cut`], it is closed too.
    pub async fn start(respond: impl Fn(usize, &RecordedRequest) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let (log, respond) = (received.clone(), Arc::new(respond));
        tokio::spawn(async move {
            for connection in 0.. {
                let Ok((stream, _)) = listener.accept().await else { return };
                let (log, respond) = (log.clone(), respond.clone());
                tokio::spawn(async move {
                    let _ = serve(stream, connection, &log, &*respond).await;
                });
            }
        });
        Server { address, received }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn received(&self) -> Vec<RecordedRequest> {
        self.received.lock().unwrap().clone()
    }
}

async fn serve(
    stream: TcpStream,
    connection: usize,
    log: &Mutex<Vec<RecordedRequest>>,
    respond: &(dyn Fn(usize, &RecordedRequest) -> Vec<u8> + Send + Sync),
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut request = RecordedRequest { connection, ..RecordedRequest::default() };
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
        let bytes = respond(number, &request);
        stream.write_all(bytes.strip_prefix(CUT).unwrap_or(&bytes)).await?;
        stream.flush().await?;
        if bytes.is_empty() || bytes.starts_with(CUT) {
            return Ok(());
        }
    }
}

const CUT: &[u8] = b"cut:";

/// A response after which the connection is closed.
pub fn cut(response: Vec<u8>) -> Vec<u8> {
    [CUT, &response].concat()
}

/// A response with a JSON body. `status` is e.g. `200 OK`; each of the `headers` ends in a line break.
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
