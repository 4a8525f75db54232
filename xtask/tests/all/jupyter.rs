//! JupyterLab, started as a user starts it, on copies of the notebooks that nobody has trusted.

use crate::page::{Browser, Page};
use crate::workbench::*;
use serde_json::{Value, json};
use std::cell::Cell;
use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;
use tempfile::TempDir;

const TOKEN: &str = "test";

pub struct Server {
    address: String,
    process: Child,
    folder: TempDir,
}

impl Server {
    /// JupyterLab on a folder of its own, in which nothing is trusted and nothing of the user's is
    /// touched, where a shell has set this in an empty folder.
    pub fn lab(set: &str) -> Self {
        environment();
        let folder = workspace();
        let path = |name: &str| folder.path().join(name);
        for name in ["config/labconfig", "data", "runtime", "temporary"] {
            fs::create_dir_all(path(name)).unwrap();
        }
        // The question whether news should be shown is JupyterLab's own, and would be asked of
        // another host.
        let no_news = json!({ "disabledExtensions": { "@jupyterlab/apputils-extension:announcements": true } });
        fs::write(
            path("config/labconfig/page_config.json"),
            no_news.to_string(),
        )
        .unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let address = format!("127.0.0.1:{port}");
        let mut process = Command::new("sh")
            .args(["-ec", &format!("{set}\nexec \"$0\" \"$@\""), PROGRAM])
            .current_dir(path("temporary"))
            .args([
                "lab",
                "--",
                "--no-browser",
                "--allow-root",
                "--ServerApp.port_retries=0",
            ])
            .arg("--LabApp.expose_app_in_browser=True")
            // On Ctrl-C it ends with the test, and does not ask first.
            .arg("--ServerApp.answer_yes=True")
            .arg(format!("--ServerApp.port={port}"))
            .arg(format!("--IdentityProvider.token={TOKEN}"))
            .arg(format!(
                "--ServerApp.root_dir={}",
                path("notebooks").display()
            ))
            .env("JUPYTER_CONFIG_DIR", path("config"))
            .env("JUPYTER_DATA_DIR", path("data"))
            .env("JUPYTER_RUNTIME_DIR", path("runtime"))
            // What a kernel leaves behind when it is ended goes with the folder.
            .env("TMPDIR", path("temporary"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(path("log.txt")).unwrap())
            .spawn()
            .unwrap();
        wait_until("the server has started", || {
            let ended = process.try_wait().unwrap();
            assert!(
                ended.is_none(),
                "it ended: {}",
                fs::read_to_string(path("log.txt")).unwrap()
            );
            TcpStream::connect(&address).is_ok()
        });
        Self {
            address,
            process,
            folder,
        }
    }

    pub fn open(&self, browser: &Browser) -> Sheet {
        let (address, folder) = (self.address.clone(), self.folder.path().join("notebooks"));
        let page = browser.open(&format!("http://{address}/lab?token={TOKEN}"));
        page.wait(
            "JupyterLab is there",
            120,
            "window.jupyterapp?.restored.then(() => true)",
        );
        Sheet {
            page,
            address,
            folder,
            restarted: Cell::new(false),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Asked to end, it ends its kernels, but not always itself.
        signal("TERM", self.process.id() as i32);
        for _ in 0..100 {
            sleep(Duration::from_millis(100));
            if self.process.try_wait().is_ok_and(|ended| ended.is_some()) {
                return;
            }
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The notebook in front, as the front end's own code knows it.
const NOTEBOOK: &str = "jupyterapp.shell.currentWidget";

/// What its cells do now: those that wait for their turn are running, too.
const STATES: &str =
    "jupyterapp.shell.currentWidget.content.widgets.map(cell => cell.model.executionState)";

/// Which executions its code cells show; none while they wait for their turn.
const COUNTS: &str = "jupyterapp.shell.currentWidget.content.widgets
    .filter(cell => cell.model.type === 'code').map(cell => cell.model.executionCount)";

/// Whether the front end says that the kernel has died.
const DIED: &str = "[...document.querySelectorAll('.jp-Dialog')].some(dialog => dialog.innerText.includes('died'))";

pub struct Sheet {
    page: Page,
    address: String,
    folder: PathBuf,
    /// Whether the kernel was restarted for the cells that run.
    restarted: Cell<bool>,
}

impl Sheet {
    pub fn show(&self, name: &str, notebook: &Value) {
        fs::write(
            self.folder.join(format!("{name}.ipynb")),
            notebook.to_string(),
        )
        .unwrap();
        let path = format!("{{ path: '{name}.ipynb' }}");
        self.page.evaluate(&format!(
            "jupyterapp.commands.execute('docmanager:open', {path}).then(() => 0)"
        ));
        let cells = notebook["cells"].as_array().unwrap().len();
        let loaded = format!("{NOTEBOOK}?.content?.widgets?.length === {cells}");
        self.page.wait("the notebook is open", 120, &loaded);
    }

    pub fn notebook(&self) -> Value {
        self.page
            .evaluate(&format!("{NOTEBOOK}.content.model.toJSON()"))
    }

    pub fn choose(&self, menu: &str, entry: &str) {
        self.page.bring_to_front();
        self.page.click(".lm-MenuBar-item", menu);
        self.page.click(".lm-Menu-item", entry);
    }

    /// Brings a cell into view and clicks on the line of its source that begins so.
    pub fn click_line(&self, cell: &str, line: &str) {
        let place =
            format!("{NOTEBOOK}.content.widgets.findIndex(cell => cell.model.id === {cell:?})");
        let scroll = format!("{NOTEBOOK}.content.scrollToItem({place}, 'center').then(() => true)");
        self.page.wait(&format!("{cell} is in view"), 120, &scroll);
        self.page.click(".jp-Notebook .cm-line", line);
    }

    /// Replaces a number in the parameters cell, key by key, and runs the cell.
    pub fn type_number(&self, name: &str, old: &str, new: &str) {
        let notebook = self.notebook();
        let source = text(&cell_named(&notebook, "parameters")["source"]);
        let begin = format!("const {name}: ");
        let line = source
            .lines()
            .find(|line| line.starts_with(&begin))
            .unwrap();
        let value = line.find(" = ").unwrap();
        let place = value + line[value..].find(old).unwrap();
        self.click_line("parameters", &begin);
        self.page.press("Home", 36, 1);
        self.page.press("ArrowRight", 39, place);
        self.page.press("Delete", 46, old.len());
        self.page.type_text(new);
        let before = self.page.evaluate(COUNTS);
        self.run_cell();
        self.page.wait(
            "the parameters are set",
            120,
            &format!("JSON.stringify({COUNTS}) !== '{before}' && !{COUNTS}.includes(null)"),
        );
    }

    pub fn run_cell(&self) {
        self.page.press_control_enter();
    }

    /// Chooses from a menu what makes cells run, and agrees if asked whether to restart. Comes back
    /// when they run, and the set-up cell, where it is one of them, has finished.
    pub fn begin(&self, menu: &str, entry: &str) {
        let kernel =
            format!("{NOTEBOOK}.sessionContext.session?.kernel?.connectionStatus === 'connected'");
        self.page.wait("it has a kernel", 120, &kernel);
        let before = self.page.evaluate(COUNTS);
        self.choose(menu, entry);
        self.restarted.set(entry.starts_with("Restart"));
        if self.restarted.get() {
            self.page.click(".jp-Dialog button", "Restart");
        }
        // They may have run already when this looks.
        let begun =
            format!("{STATES}.includes('running') || JSON.stringify({COUNTS}) !== '{before}'");
        self.page.wait(&format!("{entry} has begun"), 120, &begun);
        let set_up = format!("{NOTEBOOK}.content.widgets.find(cell => cell.model.id === 'set-up')");
        let finished = format!("{set_up}.model.executionState !== 'running' || {DIED}");
        let what = "the set-up cell has finished";
        // A kernel that answers a question on a connection that is closed already may hear nothing
        // more (evcxr 0.22).
        if !self.page.comes(what, 400, &finished) {
            progress(&format!(
                "  {entry}: the kernel hears nothing and is started once more"
            ));
            self.choose("Kernel", "Restart Kernel and Run All Cells");
            self.page.click(".jp-Dialog button", "Restart");
            self.restarted.set(true);
            self.page.wait(what, 800, &finished);
        }
    }

    pub fn finish(&self, what: &str) {
        // After an error that is meant, JupyterLab no longer shows the cells that wait as running,
        // but they are without a number until they have run.
        let idle = format!("{NOTEBOOK}.sessionContext.session?.kernel?.status === 'idle'");
        let finished =
            format!("!{STATES}.includes('running') && !{COUNTS}.includes(null) && {idle}");
        self.page.wait(
            &format!("{what}: finished"),
            1_200,
            &format!("{finished} || {DIED}"),
        );
        // A kernel may not survive its restart, which the reader is told; it is started once more,
        // and without the cells.
        if self.page.evaluate(DIED) == true {
            assert!(self.restarted.get(), "{what}: the kernel died");
            progress(&format!(
                "  {what}: the kernel died when it was restarted; all cells are run again"
            ));
            self.page.bring_to_front();
            // It may say so twice.
            while self.page.evaluate(DIED) == true {
                self.page.click(".jp-Dialog button", "Ok");
                sleep(Duration::from_secs(2));
            }
            self.begin("Run", "Run All Cells");
            return self.finish(what);
        }
        progress(&format!("  finished: {what}"));
    }

    pub fn wait_for_output(&self, cell: &str, text: &str) {
        let outputs = format!(
            "{NOTEBOOK}.content.widgets.find(cell => cell.model.id === {cell:?}).model.outputs"
        );
        let printed = format!("JSON.stringify({outputs}.toJSON()).includes({text:?})");
        self.page
            .wait(&format!("{cell} prints {text}"), 120, &printed);
    }

    /// What the menu's *Save and Export Notebook As HTML* downloads of a notebook.
    pub fn exported(&self, name: &str) -> String {
        let token = "document.cookie.match(/_xsrf=([^;]*)/)?.[1] ?? ''";
        let address = format!("`/nbconvert/html/{name}.ipynb?_xsrf=${{{token}}}`");
        text(
            &self
                .page
                .evaluate(&format!("fetch({address}).then(page => page.text())")),
        )
    }

    pub fn is_trusted(&self) -> bool {
        self.page.evaluate(&format!(
            "{NOTEBOOK}.content.widgets.every(cell => cell.model.trusted)"
        )) == true
    }

    /// What a reader does not see of the figures and tables, or should not see.
    pub fn faults(&self) -> Vec<String> {
        self.page.bring_to_front();
        let words = |expression: &str| -> Vec<String> {
            serde_json::from_value(self.page.evaluate(expression)).unwrap()
        };
        let mut wrong = words(LOOK);
        let dialogs =
            words("[...document.querySelectorAll('.jp-Dialog')].map(dialog => dialog.innerText)");
        wrong.extend(
            dialogs
                .iter()
                .map(|dialog| format!("a dialog asks: {dialog}")),
        );
        let own = [&format!("http://{}/", self.address), "data:", "blob:"];
        let mut asked = self.page.requests();
        asked.retain(|asked| !own.iter().any(|own| asked.starts_with(*own)));
        wrong.extend(asked.iter().map(|asked| format!("it asks for {asked}")));
        wrong
    }
}

/// Goes to each output that is a figure or a table; says what is not seen there.
const LOOK: &str = "(async () => {
    const [wrong, sheet] = [[], jupyterapp.shell.currentWidget.content];
    // Not an animation's frame, which never comes while the browser draws nothing.
    const drawn = () => new Promise(done => setTimeout(done, 50));
    const isSeen = async element => {
        element.scrollIntoView({ block: 'center' });
        await drawn();
        for (const end = Date.now() + 5000; element.complete === false && Date.now() < end;) await drawn();
        const [box, frame] = [element.getBoundingClientRect(), sheet.node.getBoundingClientRect()];
        return element.checkVisibility({ opacityProperty: true, visibilityProperty: true })
            && box.width > 100 && box.bottom > frame.top && box.top < frame.bottom
            && (element.rows ? element.rows.length > 1 : element.naturalWidth === 1440 && element.naturalHeight === 840);
    };
    for (const [place, cell] of sheet.widgets.entries()) {
        const outputs = cell.model.outputs?.toJSON().map(output => output.data ?? {}) ?? [];
        const figures = outputs.filter(data => Object.keys(data).some(kind => kind.startsWith('image/')));
        // A program's text is no table.
        const markdown = outputs.map(data => [data['text/markdown'] ?? ''].flat().join(''));
        const tables = markdown.filter(text => text && !text.startsWith('```')).length;
        if (figures.length + tables === 0) continue;
        await sheet.scrollToItem(place, 'center');
        const shown = kind => [...cell.node.querySelectorAll(`.jp-OutputArea-output ${kind}`)];
        const missing = () => shown('img').length < figures.length || shown('table').length < tables;
        // What never shows is not waited for longer than that.
        for (const end = Date.now() + 5000; missing() && Date.now() < end;) await drawn();
        for (const figure of figures) {
            const png = [figure['image/png'] ?? 'none'].flat().join('').replaceAll('\\n', '');
            const image = shown('img').find(image => image.src.endsWith(png));
            if (!image || !await isSeen(image)) wrong.push(`${cell.model.id}: a figure is not seen`);
        }
        let seen = 0;
        for (const table of shown('table')) seen += await isSeen(table);
        if (seen !== tables) wrong.push(`${cell.model.id}: ${seen} tables are seen, not ${tables}`);
    }
    return wrong;
})()";
