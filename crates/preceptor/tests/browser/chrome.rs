//! Chromium through its WebDriver.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;
use std::time::Duration;

use fantoccini::actions::{InputSource as _, KeyAction, KeyActions};
use fantoccini::cookies::Cookie;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// Width and height of a desk, a tablet and a phone.
pub(crate) const SIZES: [(u32, u32); 3] = [(1280, 800), (820, 1180), (390, 844)];
/// Looks, and the pause between two of them.
const LOOKS: usize = 150;
const PAUSE: Duration = Duration::from_millis(100);

/// The driver's program and the text of axe-core, or a counted skip.
pub(crate) fn tools(test: &str) -> Option<(PathBuf, String)> {
    let driver = Path::new("/usr/bin/chromedriver");
    if !driver.is_file() {
        preceptor_testkit::skip(
            test,
            "Chromium and its driver are not on this machine; `cargo xtask infra install` gets them",
        );
        return None;
    }
    let axe = preceptor_testkit::tools::node_file(test, "axe-core", "axe.min.js")?;
    Some((driver.to_owned(), axe))
}

/// A running driver. Dropping it ends it, and its browsers with it.
pub(crate) struct Driver {
    _process: Child,
    url: String,
    /// The sessions of links that were used: each signs in once.
    sessions: Mutex<HashMap<String, Cookie<'static>>>,
}

impl Driver {
    pub(crate) async fn start(program: &Path) -> Self {
        let mut command = Command::new(program);
        command
            .args(["--port=0", "--log-level=SEVERE"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let mut process = command.spawn().expect("the driver starts");
        let mut lines = BufReader::new(process.stdout.take().expect("its output")).lines();
        loop {
            let line = lines.next_line().await.expect("a line").expect("the driver says its port");
            let port = line
                .rsplit("on port ")
                .next()
                .map(|port| port.trim_end_matches('.'))
                .and_then(|port| port.parse::<u16>().ok());
            if let Some(port) = port.filter(|_| line.contains("started successfully")) {
                return Self {
                    _process: process,
                    url: format!("http://127.0.0.1:{port}"),
                    sessions: Mutex::default(),
                };
            }
        }
    }

    /// A browser of its own, without cookies.
    pub(crate) async fn browser(&self, (width, height): (u32, u32)) -> Browser {
        let flags = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
        ];
        let mobile = json!({ "deviceMetrics": { "width": width, "height": height, "pixelRatio": 1.0, "touch": false, "mobile": false } });
        let options = json!({ "goog:chromeOptions": { "args": flags, "mobileEmulation": mobile } });
        let capabilities = options.as_object().expect("an object").clone();
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&self.url)
            .await
            .expect("a browser");
        Browser { client }
    }

    /// The same, signed in by a link.
    pub(crate) async fn signed_in(&self, link: &str, size: (u32, u32)) -> Browser {
        let browser = self.browser(size).await;
        let known = self.sessions.lock().expect("no panic").get(link).cloned();
        if let Some(session) = known {
            let place = link.split("/sign-in").next().expect("a server");
            browser.open(&format!("{place}/sign-in")).await;
            browser.client.add_cookie(session).await.expect("a cookie");
            browser.open(place).await;
        } else {
            browser.open(link).await;
            browser.click("main form button").await;
        }
        browser.until("the sign-in", "return !location.pathname.startsWith('/sign-in')").await;
        let session =
            browser.client.get_named_cookie("preceptor_session").await.expect("a session").into_owned();
        self.sessions.lock().expect("no panic").insert(link.to_owned(), session);
        browser
    }
}

/// One browser with one window.
pub(crate) struct Browser {
    client: Client,
}

impl Browser {
    pub(crate) async fn open(&self, url: &str) {
        self.client.goto(url).await.unwrap_or_else(|error| panic!("{url}: {error}"));
    }

    pub(crate) async fn path(&self) -> String {
        super::text(&self.run("return location.pathname").await)
    }

    pub(crate) async fn click(&self, selector: &str) {
        let found = self.client.wait().for_element(Locator::Css(selector)).await;
        found.unwrap_or_else(|error| panic!("{selector}: {error}")).click().await.expect("a click");
    }

    /// Runs a script's body and gives what it returns.
    pub(crate) async fn run(&self, script: &str) -> Value {
        self.run_with(script, Vec::new()).await
    }

    pub(crate) async fn run_with(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.client.execute(script, arguments).await.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// The same for a script that calls its last argument with the result.
    pub(crate) async fn run_async(&self, script: &str) -> Value {
        self.client
            .execute_async(script, Vec::new())
            .await
            .unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Types, as a keyboard does: to whatever has the focus.
    pub(crate) async fn keys(&self, keys: &str) {
        let strokes = keys.chars().fold(KeyActions::new("keyboard".into()), |actions, value| {
            actions.then(KeyAction::Down { value }).then(KeyAction::Up { value })
        });
        self.client.perform_actions(strokes).await.expect("keys");
    }

    /// Looks until a script returns true.
    pub(crate) async fn until(&self, what: &str, script: &str) {
        self.settles(what, script, Vec::new(), &json!(true)).await;
    }

    /// Looks until a script says `expected` of the element that `selector` names.
    pub(crate) async fn settles_to(&self, what: &str, script: &str, selector: &str, expected: &str) {
        self.settles(what, script, vec![json!(selector)], &json!(expected)).await;
    }

    async fn settles(&self, what: &str, script: &str, arguments: Vec<Value>, expected: &Value) {
        let mut last = Value::Null;
        for _ in 0..LOOKS {
            // A page that is being left has nothing to run a script in.
            last = self.client.execute(script, arguments.clone()).await.unwrap_or(Value::Null);
            if last == *expected {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("{what}: {last}");
    }

    /// Asks on the learner's page and waits for the whole answer.
    pub(crate) async fn ask(&self, question: &str) {
        self.run_with(
            "document.querySelector('#question').value = arguments[0]; document.querySelector('#ask').requestSubmit()",
            vec![json!(question)],
        )
        .await;
        self.until(
            "an answer with a citation",
            "return document.querySelectorAll('#log a.cite').length > 0 && !document.querySelector('#ask button').disabled",
        )
        .await;
    }

    pub(crate) async fn close(self) {
        self.client.close().await.expect("the browser closes");
    }
}
