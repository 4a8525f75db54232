//! A page in a real browser, used as a reader uses it: looked at, clicked, typed into.
//!
//! The browser is told what to do in its own protocol
//! (<https://chromedevtools.github.io/devtools-protocol>), through pipes. The crates that know the
//! whole protocol take longer to build than all others together.

use crate::workbench::*;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, channel};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long an answer of the browser may take on a busy machine before it is taken to hang.
const PATIENCE: Duration = Duration::from_secs(120);

pub struct Browser(Rc<RefCell<Connection>>);

struct Connection {
    chromium: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    sent: u64,
    told: Vec<Value>,
    _profile: TempDir,
}

fn executable() -> Option<PathBuf> {
    let names = [
        "chromium",
        "chromium-browser",
        "google-chrome-stable",
        "google-chrome",
    ];
    let path = env::var_os("PATH").unwrap_or_default();
    let named = env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name)));
    let of_a_mac =
        Path::new("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome").to_owned();
    named.chain([of_a_mac]).find(|program| program.is_file())
}

impl Browser {
    /// Starts a browser for a test. Where there is none the test is skipped and said to be; on CI
    /// it fails.
    pub fn start<F: Fn()>(_test: F) -> Option<Self> {
        let test = std::any::type_name::<F>();
        let Some(program) = executable() else {
            assert!(
                env::var_os("CI").is_none(),
                "there is no Chromium on the path"
            );
            progress(&format!(
                "skipped: {test}: there is no Chromium on the path"
            ));
            return None;
        };
        environment();
        let profile = tempfile::tempdir().unwrap();
        // The protocol goes through the file descriptors 3 and 4.
        let mut chromium = Command::new("sh")
            .args([
                "-c",
                "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1",
            ])
            .arg(program)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            // The sandbox is not to be had by a user who is root; tabs in the background are to go
            // on.
            .args([
                "--headless",
                "--remote-debugging-pipe",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
            ])
            .args([
                "--window-size=1300,1000",
                "--disable-dev-shm-usage",
                "--disable-background-timer-throttling",
            ])
            .args([
                "--disable-backgrounding-occluded-windows",
                "--disable-renderer-backgrounding",
            ])
            .args([
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (to, answers) = (
            chromium.stdin.take().unwrap(),
            chromium.stdout.take().unwrap(),
        );
        let (told, from) = channel();
        spawn(move || {
            for message in BufReader::new(answers).split(0) {
                let message = message
                    .ok()
                    .and_then(|text| serde_json::from_slice(&text).ok());
                if message.is_none_or(|message: Value| told.send(message).is_err()) {
                    break;
                }
            }
        });
        let connection = Connection {
            chromium,
            to,
            from,
            sent: 0,
            told: Vec::new(),
            _profile: profile,
        };
        Some(Self(Rc::new(RefCell::new(connection))))
    }

    pub fn open(&self, address: &str) -> Page {
        let call = |method, parameters| self.0.borrow_mut().call("", method, parameters).unwrap();
        let tab = call("Target.createTarget", json!({ "url": "about:blank" }));
        let session = call(
            "Target.attachToTarget",
            json!({ "targetId": tab["targetId"], "flatten": true }),
        );
        let session = session["sessionId"].as_str().unwrap().to_owned();
        let page = Page {
            connection: Rc::clone(&self.0),
            session,
        };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            page.call(&format!("{domain}.enable"), json!({}));
        }
        page.go(address).unwrap();
        page
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let _ = self.chromium.kill();
        let _ = self.chromium.wait();
    }
}

impl Connection {
    fn call(&mut self, session: &str, method: &str, parameters: Value) -> Result<Value, String> {
        self.sent += 1;
        let mut message = json!({ "id": self.sent, "method": method, "params": parameters });
        if !session.is_empty() {
            message["sessionId"] = session.into();
        }
        write!(self.to, "{message}\0").unwrap();
        let end = Instant::now() + PATIENCE;
        loop {
            let answer = self
                .from
                .recv_timeout(end.saturating_duration_since(Instant::now()));
            let mut answer =
                answer.unwrap_or_else(|error| panic!("{method}: the browser: {error}"));
            if answer["id"] == self.sent {
                return match answer["error"]["message"].as_str() {
                    Some(why) => Err(why.to_owned()),
                    None => Ok(answer["result"].take()),
                };
            }
            self.told.push(answer);
        }
    }
}

pub struct Page {
    connection: Rc<RefCell<Connection>>,
    session: String,
}

impl Page {
    fn call(&self, method: &str, parameters: Value) -> Value {
        let answer = self
            .connection
            .borrow_mut()
            .call(&self.session, method, parameters);
        answer.unwrap_or_else(|why| panic!("{method}: {why}"))
    }

    fn told<T>(&self, names: &[&str], each: impl Fn(&Value) -> T) -> Vec<T> {
        self.call("Page.enable", json!({})); // so that all that came before is known
        let connection = self.connection.borrow();
        let own = connection
            .told
            .iter()
            .filter(|told| told["sessionId"] == self.session.as_str());
        own.filter(|told| names.iter().any(|name| told["method"] == *name))
            .map(each)
            .collect()
    }

    pub fn go(&self, address: &str) -> Result<(), String> {
        let loaded = "Page.loadEventFired";
        let before = self.told(&[loaded], |_| ()).len();
        let answer = self.call("Page.navigate", json!({ "url": address }));
        if let Some(why) = answer["errorText"].as_str() {
            return Err(format!("{address}: {why}"));
        }
        let end = Instant::now() + PATIENCE;
        while self.told(&[loaded], |_| ()).len() == before {
            assert!(Instant::now() < end, "{address} is not loaded");
            sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Makes this the tab that is looked at: what is behind another is not drawn.
    pub fn bring_to_front(&self) {
        self.call("Page.bringToFront", json!({}));
    }

    pub fn set_telephone_width(&self, width: u32) {
        let screen =
            json!({ "width": width, "height": 1_000, "deviceScaleFactor": 1, "mobile": true });
        self.call("Emulation.setDeviceMetricsOverride", screen);
    }

    pub fn requests(&self) -> Vec<String> {
        let address = |told: &Value| {
            told["params"]["request"]["url"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        self.told(&["Network.requestWillBeSent"], address)
    }

    pub fn complaints(&self) -> Vec<String> {
        let names = [
            "Log.entryAdded",
            "Runtime.consoleAPICalled",
            "Runtime.exceptionThrown",
        ];
        let said = self.told(&names, |told| told["params"].to_string());
        let bad = [
            "\"level\":\"error",
            "\"level\":\"warning",
            "\"type\":\"error",
            "\"type\":\"warning",
            "exceptionDetails",
        ];
        said.into_iter()
            .filter(|said| bad.iter().any(|bad| said.contains(bad)))
            .collect()
    }

    /// The value of an expression of JavaScript; a promise is waited for.
    pub fn evaluate(&self, expression: &str) -> Value {
        let how = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let mut answer = self.call("Runtime.evaluate", how);
        assert_eq!(answer["exceptionDetails"], Value::Null, "{expression}");
        answer["result"]["value"].take()
    }

    pub fn wait(&self, what: &str, seconds: u64, expression: &str) {
        assert!(
            self.comes(what, seconds, expression),
            "after {seconds} s there was still not this: {what}"
        );
    }

    pub fn comes(&self, what: &str, seconds: u64, expression: &str) -> bool {
        let end = Instant::now() + Duration::from_secs(seconds);
        while self.evaluate(expression) != true {
            doing(format!("waiting for this: {what}"));
            if Instant::now() > end {
                return false;
            }
            sleep(Duration::from_millis(50));
        }
        true
    }

    pub fn click(&self, selector: &str, text: &str) {
        let find = format!(
            "(() => {{
                const fits = element => element.checkVisibility() && element.innerText.trim().startsWith({text:?});
                const element = [...document.querySelectorAll({selector:?})].find(fits);
                if (!element) return null;
                element.scrollIntoView({{ block: 'nearest' }});
                const box = element.getBoundingClientRect();
                return [box.x + box.width / 2, box.y + box.height / 2];
            }})()"
        );
        self.wait(
            &format!("{selector} with the text {text:?}"),
            120,
            &format!("{find} !== null"),
        );
        let place = self.evaluate(&find);
        for what in ["mouseMoved", "mousePressed", "mouseReleased"] {
            let event = json!({ "type": what, "x": place[0], "y": place[1], "button": "left", "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", event);
        }
    }

    pub fn press(&self, key: &str, number: u32, times: usize) {
        (0..times)
            .for_each(|_| self.strike(json!({ "key": key, "windowsVirtualKeyCode": number })));
    }

    pub fn press_control_enter(&self) {
        self.strike(
            json!({ "key": "Enter", "windowsVirtualKeyCode": 13, "modifiers": 2, "text": "\r" }),
        );
    }

    pub fn type_text(&self, text: &str) {
        text.chars()
            .for_each(|key| self.strike(json!({ "key": key, "text": key })));
    }

    fn strike(&self, mut key: Value) {
        for what in ["keyDown", "keyUp"] {
            key["type"] = what.into();
            self.call("Input.dispatchKeyEvent", key.clone());
        }
    }
}
