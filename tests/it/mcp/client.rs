//! A minimal MCP client: raw JSON-RPC over the pipes of the server process.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

pub struct Client {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    next_id: u64,
    /// Notifications from the server.
    pub notifications: Vec<Value>,
    /// The result of `initialize`.
    pub server: Value,
    /// Size of the last response in bytes.
    pub bytes: usize,
}

impl Client {
    /// Starts `intercom-pp-mcp` for this workspace and initializes it.
    pub fn start(home: &Path, url: &str, token: &str, arguments: &[&str]) -> Self {
        Client::of(server(home, url, token, arguments))
    }

    /// A client with these capabilities.
    pub fn with_capabilities(home: &Path, url: &str, arguments: &[&str], capabilities: &Value) -> Self {
        Client::initialized(server(home, url, intercom::sandbox::TOKEN, arguments), capabilities)
    }

    /// A client that does not initialize, like newer ones.
    pub fn uninitialized(home: &Path, url: &str, token: &str, arguments: &[&str]) -> Self {
        Client::spawn(server(home, url, token, arguments))
    }

    fn spawn(mut command: Command) -> Self {
        let mut process =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let input = process.stdin.take().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (next_id, notifications) = (1, Vec::new());
        Client { process, input, output, next_id, notifications, server: Value::Null, bytes: 0 }
    }

    pub fn of(command: Command) -> Self {
        Client::initialized(command, &json!({}))
    }

    fn initialized(command: Command, capabilities: &Value) -> Self {
        let mut client = Client::spawn(command);
        let parameters = json!({ "protocolVersion": "2025-06-18", "capabilities": capabilities, "clientInfo": { "name": "test", "version": "1" } });
        client.server = client.request("initialize", parameters)["result"].clone();
        client.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        client
    }

    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Whether the process exits by itself within a few seconds.
    pub fn has_ended(&mut self) -> bool {
        (0..100).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(50));
            self.process.try_wait().unwrap().is_some()
        })
    }

    pub fn send(&mut self, message: &Value) {
        writeln!(self.input, "{message}").unwrap();
        self.input.flush().unwrap();
    }

    /// Sends a line, valid or not.
    pub fn send_text(&mut self, text: &str) {
        writeln!(self.input, "{text}").unwrap();
    }

    /// Sends a request and returns its id.
    pub fn begin(&mut self, method: &str, parameters: Value) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": parameters }));
        id
    }

    /// The response to a request. Everything on stdout must be a message.
    pub fn answer(&mut self, id: u64) -> Value {
        loop {
            let message = self.next();
            if message["id"] == id {
                return message;
            }
            self.notifications.push(message);
        }
    }

    pub fn next(&mut self) -> Value {
        let mut line = String::new();
        self.bytes = self.output.read_line(&mut line).unwrap();
        assert!(self.bytes > 0, "the server hung up");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    pub fn request(&mut self, method: &str, parameters: Value) -> Value {
        let id = self.begin(method, parameters);
        self.answer(id)
    }

    /// Calls a tool and answers the elicitations of the server. Returns the result and the elicitations.
    pub fn call_and_answer(&mut self, name: &str, arguments: Value, answer: &Value) -> (Value, Vec<Value>) {
        let id = self.begin("tools/call", json!({ "name": name, "arguments": arguments }));
        let mut questions = Vec::new();
        loop {
            let message = self.next();
            if message["method"] == "elicitation/create" {
                self.send(&json!({ "jsonrpc": "2.0", "id": message["id"], "result": answer }));
                questions.push(message["params"].clone());
            } else if message["id"] == id {
                return (message["result"].clone(), questions);
            }
        }
    }

    /// All parts of a result, each with its size in bytes.
    pub fn parts(&mut self, name: &str, arguments: Value) -> Vec<(Value, usize)> {
        let mut part = self.call(name, arguments);
        let mut parts = Vec::new();
        loop {
            let bytes = part["content"][0]["text"].as_str().unwrap().len();
            let document = part["structuredContent"].clone();
            let cursor = document["cursor"].as_str().map(str::to_owned);
            parts.push((document, bytes));
            assert!(parts.len() < 2_000, "the result does not end");
            let Some(cursor) = cursor else { return parts };
            part = self.call("read_more", json!({ "cursor": cursor }));
        }
    }

    pub fn tools(&mut self) -> Vec<Value> {
        self.request("tools/list", json!({}))["result"]["tools"].as_array().unwrap().clone()
    }

    /// The result of a tool. Its text and its structured content must be equal.
    pub fn call(&mut self, name: &str, arguments: Value) -> Value {
        let answer = self.request("tools/call", json!({ "name": name, "arguments": arguments }));
        let result = answer["result"].clone();
        assert!(result.is_object(), "{answer}");
        let text: Value = serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
        assert_eq!(text, result["structuredContent"]);
        result
    }

    /// The content of a call that must succeed.
    pub fn content(&mut self, name: &str, arguments: Value) -> Value {
        let result = self.call(name, arguments);
        assert_eq!(result["isError"], false, "{result}");
        result["structuredContent"].clone()
    }

    /// The error of a call that must fail.
    pub fn error(&mut self, name: &str, arguments: Value) -> Value {
        let result = self.call(name, arguments);
        assert_eq!(result["isError"], true, "{result}");
        result["structuredContent"]["error"].clone()
    }
}

fn server(home: &Path, url: &str, token: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_intercom-pp-mcp"));
    command.env_clear().env("HOME", home).env("INTERCOM_BASE_URL", url).env("INTERCOM_ACCESS_TOKEN", token);
    command.args(arguments).current_dir(home);
    command
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
