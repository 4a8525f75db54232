//! A page in a real browser, used as a reader uses it: looked at, clicked, typed into.

use crate::workbench::progress;
use headless_chrome::browser::default_executable;
use headless_chrome::browser::tab::{ModifierKey, point::Point};
use headless_chrome::protocol::cdp::types::Event;
use headless_chrome::protocol::cdp::{Emulation, Network, Runtime};
use headless_chrome::{LaunchOptions, Tab};
use serde_json::Value;
use std::env;
use std::ffi::OsStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A browser, which one test at a time has to itself: kernels that measure would disturb each other.
pub struct Browser {
    chromium: headless_chrome::Browser,
    _alone: MutexGuard<'static, ()>,
}

impl Browser {
    /// Starts a browser for a test. Where there is none the test is skipped and said to be; `REQUIRE_BROWSER` forbids that.
    pub fn start<F: Fn()>(_test: F) -> Option<Self> {
        static ALONE: Mutex<()> = Mutex::new(());
        let test = std::any::type_name::<F>();
        let path = match default_executable() {
            Ok(path) => path,
            Err(_) if env::var_os("REQUIRE_BROWSER").is_none() => {
                progress(&format!("skipped: {test}: no Chromium on the path"));
                return None;
            }
            Err(_) => panic!("REQUIRE_BROWSER is set, and there is no Chromium on the path"),
        };
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        progress(&format!("{test}: started"));
        let options = LaunchOptions::default_builder()
            .path(Some(path))
            .sandbox(false) // which a user who is root cannot have
            .window_size(Some((1_300, 1_000)))
            .idle_browser_timeout(Duration::from_secs(1_200))
            .args(["--disable-quic", "--disable-component-update"].map(OsStr::new).to_vec())
            .build()
            .unwrap();
        Some(Self { chromium: headless_chrome::Browser::new(options).unwrap(), _alone })
    }

    /// Opens an address in a new tab.
    pub fn open(&self, address: &str) -> Page {
        let tab = self.chromium.new_tab().unwrap();
        tab.set_default_timeout(Duration::from_secs(120));
        let noted: Arc<Mutex<Noted>> = Arc::default();
        let notes = Arc::clone(&noted);
        tab.add_event_listener(Arc::new(move |event: &Event| notes.lock().unwrap().note(event))).unwrap();
        tab.enable_log().unwrap();
        tab.enable_runtime().unwrap();
        tab.call_method(Network::Enable {
            max_total_buffer_size: None,
            max_resource_buffer_size: None,
            max_post_data_size: None,
            report_direct_socket_traffic: None,
            enable_durable_messages: None,
        })
        .unwrap();
        let page = Page { tab, noted };
        page.go(address).unwrap();
        page
    }
}

/// What the browser did and said since a page was opened.
#[derive(Debug, Default)]
struct Noted {
    requests: Vec<String>,
    complaints: Vec<String>,
}

impl Noted {
    fn note(&mut self, event: &Event) {
        match event {
            Event::NetworkRequestWillBeSent(event) => self.requests.push(event.params.request.url.clone()),
            Event::LogEntryAdded(event) => {
                let entry = &event.params.entry;
                self.complain(format!("{:?}: {}", entry.level, entry.text));
            }
            Event::RuntimeConsoleAPICalled(event) => {
                self.complain(format!("{:?}: {:?}", event.params.Type, event.params.args));
            }
            Event::RuntimeExceptionThrown(event) => {
                self.complain(format!("Error: {}", event.params.exception_details.text));
            }
            _ => {}
        }
    }

    fn complain(&mut self, said: String) {
        if said.starts_with("Error") || said.starts_with("Warning") {
            self.complaints.push(said);
        }
    }
}

/// A page that is open.
pub struct Page {
    tab: Arc<Tab>,
    noted: Arc<Mutex<Noted>>,
}

impl Page {
    /// Goes to an address and waits until it is loaded.
    pub fn go(&self, address: &str) -> anyhow::Result<()> {
        self.tab.navigate_to(address)?.wait_until_navigated()?;
        Ok(())
    }

    /// Makes this the tab that is looked at: what is behind another is not drawn.
    pub fn bring_to_front(&self) {
        self.tab.bring_to_front().unwrap();
    }

    /// Shows the page as a telephone of this width would, in CSS pixels.
    pub fn set_telephone_width(&self, width: u32) {
        self.tab
            .call_method(Emulation::SetDeviceMetricsOverride {
                width,
                height: 1_000,
                device_scale_factor: 1.0,
                mobile: true,
                scale: None,
                screen_width: None,
                screen_height: None,
                position_x: None,
                position_y: None,
                dont_set_visible_size: None,
                screen_orientation: None,
                viewport: None,
                display_feature: None,
                device_posture: None,
            })
            .unwrap();
    }

    /// The addresses that the browser asked for.
    pub fn requests(&self) -> Vec<String> {
        self.noted.lock().unwrap().requests.clone()
    }

    /// The errors and warnings in the browser's console.
    pub fn complaints(&self) -> Vec<String> {
        self.noted.lock().unwrap().complaints.clone()
    }

    /// The value of an expression of JavaScript; a promise is waited for.
    pub fn evaluate(&self, expression: &str) -> Value {
        let text = format!("(async () => JSON.stringify(await ({expression})))()");
        let object: Runtime::RemoteObject = self.tab.evaluate(&text, true).unwrap();
        match object.value {
            Some(Value::String(text)) => serde_json::from_str(&text).unwrap(),
            // What is undefined has no text.
            None if object.description.is_none() => Value::Null,
            _ => panic!("{expression}: {}", object.description.unwrap_or_default()),
        }
    }

    /// Waits until an expression is true.
    pub fn wait(&self, what: &str, seconds: u64, expression: &str) {
        let end = Instant::now() + Duration::from_secs(seconds);
        while self.evaluate(expression) != true {
            assert!(Instant::now() < end, "after {seconds} s there was still not this: {what}");
            sleep(Duration::from_millis(100));
        }
    }

    /// Clicks the middle of the first visible element that a selector finds, with a text that begins so.
    pub fn click(&self, selector: &str, text: &str) {
        let find = format!(
            "(() => {{
                const fits = element => element.checkVisibility() && element.innerText.trim().startsWith({text:?});
                const element = [...document.querySelectorAll({selector:?})].find(fits);
                if (!element) return null;
                const box = element.getBoundingClientRect();
                return [box.x + box.width / 2, box.y + box.height / 2];
            }})()"
        );
        self.wait(&format!("{selector} with the text {text:?}"), 120, &format!("{find} !== null"));
        let place = self.evaluate(&find);
        let (x, y) = (place[0].as_f64().unwrap(), place[1].as_f64().unwrap());
        self.tab.click_point(Point { x, y }).unwrap();
    }

    /// Presses a key so many times.
    pub fn press(&self, key: &str, times: usize) {
        for _ in 0..times {
            self.tab.press_key(key).unwrap();
        }
    }

    /// Presses a key while Shift is held down.
    pub fn press_with_shift(&self, key: &str) {
        self.tab.press_key_with_modifiers(key, Some(&[ModifierKey::Shift])).unwrap();
    }

    /// Types a text, key by key.
    pub fn type_text(&self, text: &str) {
        self.tab.type_str(text).unwrap();
    }
}
