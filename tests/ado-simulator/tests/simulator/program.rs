//! The program: its ready line, and that runs with the same seed are the same.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::support::{answer, client};

struct Program {
    child: Child,
    ready: Value,
    client: reqwest::Client,
}

impl Drop for Program {
    fn drop(&mut self) {
        // Ended already is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn start(seed: &str) -> Program {
    let mut child = Command::new(env!("CARGO_BIN_EXE_ado-simulator"))
        .args(["--listen", "127.0.0.1:0", "--items", "50", "--exit-on-stdin-eof", "--seed", seed])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    let ca = std::fs::read_to_string(ready["ca_file"].as_str().unwrap()).unwrap();
    let port: u16 = ready["url"]
        .as_str()
        .unwrap()
        .trim_start_matches("https://localhost:")
        .trim_end_matches("/contoso")
        .parse()
        .unwrap();
    let client = client(&ca, ([127, 0, 0, 1], port).into());
    Program { child, ready, client }
}

impl Program {
    async fn get(&self, path: &str) -> String {
        let url = format!("{}{path}", self.ready["url"].as_str().unwrap());
        let request = self.client.get(&url).basic_auth("", self.ready["pats"]["full"].as_str());
        let origin = url.split("/contoso").next().unwrap().to_owned();
        answer(request.send().await.unwrap()).await.text.replace(&origin, "")
    }
}

#[tokio::test]
async fn the_ready_line_says_how_to_use_it_and_the_end_of_input_ends_it() {
    let mut program = start("1");
    assert!(program.ready["pats"]["expired"].is_string() && program.ready["projects"].is_array());
    let list: Value = serde_json::from_str(&program.get("/_apis/projects?api-version=7.1").await).unwrap();
    assert_eq!(list["count"], 6);
    drop(program.child.stdin.take());
    assert!(program.child.wait().unwrap().success());
}

#[tokio::test]
async fn the_same_seed_gives_the_same_answers_and_another_gives_others() {
    let (one, same, other) = (start("5"), start("5"), start("6"));
    for path in [
        "/_apis/projects?api-version=7.1",
        "/_apis/wit/workitems?ids=1,2,3,50&$expand=all&api-version=7.1",
        "/Payments/_apis/wit/classificationnodes/Iterations?$depth=5&api-version=7.1",
    ] {
        let first = one.get(path).await;
        assert_eq!(first, same.get(path).await, "{path}");
        assert_ne!(first, other.get(path).await, "{path}");
    }
    assert_eq!(one.ready["pats"], same.ready["pats"]);
    assert_ne!(one.ready["pats"], other.ready["pats"]);
}
