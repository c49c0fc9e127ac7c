//! A client of our own for the MCP server: raw JSON-RPC over the process's pipes.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

pub struct Client {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    next_id: u64,
    /// What the server sent without being asked.
    pub notifications: Vec<Value>,
    /// The answer to `initialize`.
    pub server: Value,
    /// Bytes of the last answer.
    pub bytes: usize,
}

impl Client {
    /// Starts `intercom-pp-mcp` for this workspace and greets it.
    pub fn start(home: &Path, url: &str, token: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_intercom-pp-mcp"));
        command
            .env_clear()
            .env("HOME", home)
            .env("INTERCOM_BASE_URL", url)
            .env("INTERCOM_ACCESS_TOKEN", token);
        command.args(arguments).current_dir(home);
        Client::of(command)
    }

    pub fn of(mut command: Command) -> Self {
        let mut process =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let input = process.stdin.take().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (next_id, notifications) = (1, Vec::new());
        let mut client =
            Client { process, input, output, next_id, notifications, server: Value::Null, bytes: 0 };
        let hello = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "test", "version": "1" } });
        client.server = client.request("initialize", hello)["result"].clone();
        client.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        client
    }

    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Whether the process ends by itself, and soon.
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

    /// Sends a line that need not be a message.
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

    /// The answer to a request. Everything on stdout must be a message.
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

    pub fn tools(&mut self) -> Vec<Value> {
        self.request("tools/list", json!({}))["result"]["tools"].as_array().unwrap().clone()
    }

    /// The result of a tool; its text and its structured content must say the same.
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

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
