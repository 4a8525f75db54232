//! Executes notebooks and publishes the results together, or none of them.

use crate::notebook::{self, Notebook};
use crate::{index, lock, page, parameters, setup};
use anyhow::{Context, Result, bail};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use maud::PreEscaped;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;

/// Executes and renders.
const SCRIPT: &str = concat!(include_str!("guard.py"), include_str!("render.py"), include_str!("execute.py"));

/// What `run` is asked to do.
#[derive(clap::Args)]
pub struct Options {
    /// Paths, names, or beginnings of names such as 01; all notebooks if none is given
    notebooks: Vec<String>,
    /// Another value for a constant of the parameter cell
    #[arg(short, long = "parameter", value_name = "NAME=VALUE")]
    parameters: Vec<String>,
    /// Refresh the outputs in the notebooks themselves, too
    #[arg(long)]
    in_place: bool,
    /// The folder for the executed notebooks and the HTML files; target/rendered if none is given
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

/// Executes the notebooks and writes each as a notebook and as one HTML file, and a page over all that stand there.
///
/// # Errors
/// When a parameter is refused, a cell fails, or the output cannot be written; then nothing is published.
pub fn run(root: &Path, options: &Options) -> Result<()> {
    if options.in_place && !options.parameters.is_empty() {
        bail!("--in-place refreshes the outputs of the values that stand in the notebook, so it takes no -p");
    }
    let mut notebooks = notebook::choose(&root.join("notebooks"), &options.notebooks)?;
    apply(&options.parameters, &mut notebooks)?;
    let default = root.join("target/rendered");
    let output = options.output.as_deref().unwrap_or(&default);
    if let Ok(output) = output.canonicalize()
        && notebooks.iter().any(|notebook| notebook.path.parent() == Some(&output))
    {
        bail!("--output is the folder of a notebook, which it would overwrite; name another one");
    }
    if notebooks.iter().any(|notebook| format!("{}.html", notebook.name) == index::NAME) {
        bail!(
            "the page of a notebook named index would be overwritten by {}; rename the notebook",
            index::NAME
        );
    }
    let environment = setup::ensure(root)?;
    let holder = "another run, which this one would disturb,";
    let _lock = lock::wait(&root.join("target/run.lock"), holder)?;

    let scratch = scratch(&root.join("target/run"))?;
    let _made = Made::create(output)?;
    let mut stages = Vec::new();
    let mut python = environment.python();
    python.args(["-I", "-X", "utf8", "-W", "ignore", "-c", SCRIPT]);
    for notebook in &notebooks {
        let file = scratch.path().join(format!("{}.ipynb", notebook.name));
        fs::write(&file, notebook.text()).with_context(|| format!("cannot write {}", file.display()))?;
        let folder = notebook.path.parent().unwrap_or(root);
        python.arg(folder).arg(&file);
        // Now, so that a folder which takes no files is found before the notebooks run.
        let rendered = Stage::create(output, &notebook.name)?;
        // Of a run with --in-place that was killed; what cannot be removed is in nobody's way.
        let _ = Stage::clear(folder, &notebook.name);
        let in_place = match options.in_place {
            true => Some(Stage::create(folder, &notebook.name)?),
            false => None,
        };
        stages.push((file, rendered, in_place));
    }
    execute(python)?;
    for (file, rendered, in_place) in &stages {
        finish_page(file)?;
        rendered.copy(file)?;
        rendered.copy(&file.with_extension("html"))?;
        if let Some(stage) = in_place {
            stage.copy(file)?;
            stage.picture(file)?;
        }
    }
    for (_, rendered, in_place) in &stages {
        rendered.publish()?;
        if let Some(stage) = in_place {
            stage.publish()?;
        }
    }
    index::write(output)
}

/// Replaces values in every notebook that has the parameter; one at least must have it.
fn apply(arguments: &[String], notebooks: &mut [Notebook]) -> Result<()> {
    let mut names = Vec::new();
    for argument in arguments {
        let (name, value) = parameters::assignment(argument)?;
        let mut found = false;
        for notebook in notebooks.iter_mut() {
            let changed = parameters::replace(&notebook.parameters(), &name, &value)
                .with_context(|| notebook.name.clone())?;
            if let Some(cell) = changed {
                notebook.set_parameters(cell);
                found = true;
            }
        }
        if !found {
            match known(notebooks)?.as_str() {
                "" => bail!("there is no parameter {name}, nor any other"),
                known => bail!("there is no parameter {name}; there are:\n{known}"),
            }
        }
        if names.contains(&name) {
            bail!("-p gives {name} twice; give it once");
        }
        names.push(name);
    }
    Ok(())
}

fn known(notebooks: &[Notebook]) -> Result<String> {
    let mut lines = Vec::new();
    for notebook in notebooks {
        for parameter in parameters::list(&notebook.parameters())? {
            let parameters::Parameter { name, kind, value, .. } = parameter;
            lines.push(format!("  {}: {name}: {kind} = {value}", notebook.name));
        }
    }
    Ok(lines.join("\n"))
}

/// Runs the script, and returns its complaint as an error.
fn execute(mut python: Command) -> Result<()> {
    let mut python = python
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("the environment's Python did not start")?;
    // The end of this pipe ends the script and its kernel: on Ctrl-C and the like, or when this process is killed.
    let mut pipe = python.stdin.take();
    let stopped = Arc::new(AtomicBool::new(false));
    let stop = stopped.clone();
    ctrlc::set_handler(move || {
        stop.store(true, Ordering::SeqCst);
        drop(pipe.take());
    })
    .context("cannot listen for Ctrl-C")?;
    let output = python.wait_with_output().context("the environment's Python did not finish")?;
    if output.status.success() {
        return Ok(());
    }
    if stopped.load(Ordering::SeqCst) {
        bail!("stopped; nothing was published");
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    match complaint.trim() {
        "" => bail!("the run was ended ({}); nothing was published", output.status),
        complaint => bail!("{complaint}"),
    }
}

/// Makes a page of the body that the script has left.
fn finish_page(notebook: &Path) -> Result<()> {
    let path = notebook.with_extension("html");
    let body = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    page::write(&path, &Notebook::read(notebook)?.title(), &PreEscaped(body))
}

/// A folder in which a run works; what a run that was killed has left there is removed.
fn scratch(folder: &Path) -> Result<TempDir> {
    // What cannot be removed is not in the way: each run has a folder of its own.
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder)
        .and_then(|()| tempfile::tempdir_in(folder))
        .with_context(|| format!("cannot write to {}", folder.display()))
}

/// The folders that were made for the output; those that stay empty are removed again.
struct Made(Vec<PathBuf>);

impl Made {
    fn create(folder: &Path) -> Result<Self> {
        let missing = folder.ancestors().take_while(|folder| !folder.exists()).map(Path::to_owned);
        let made = Self(missing.collect());
        fs::create_dir_all(folder).with_context(|| format!("cannot write to {}", folder.display()))?;
        Ok(made)
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        for folder in &self.0 {
            // A folder that holds something stays.
            let _ = fs::remove_dir(folder);
        }
    }
}

/// A folder beside its target, so that what is in it can be published by renaming.
struct Stage {
    folder: PathBuf,
    target: PathBuf,
}

impl Stage {
    fn create(target: &Path, name: &str) -> Result<Self> {
        let folder = Self::clear(target, name)
            .and_then(|folder| fs::create_dir(&folder).map(|()| folder))
            .with_context(|| format!("cannot write to {}", target.display()))?;
        let target = target.to_owned();
        Ok(Self { folder, target })
    }

    /// Removes what a run that was killed has left.
    fn clear(target: &Path, name: &str) -> io::Result<PathBuf> {
        let folder = target.join(format!(".{name}.partial"));
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(folder),
        }
    }

    fn copy(&self, file: &Path) -> Result<()> {
        let copied = fs::copy(file, self.folder.join(file.file_name().unwrap_or_default()));
        copied.map(drop).with_context(|| format!("cannot write to {}", self.target.display()))
    }

    /// A picture that stands beside the notebook under its name is its cover, for pages that show one.
    fn picture(&self, file: &Path) -> Result<()> {
        let name = file.with_extension("png").file_name().unwrap_or_default().to_owned();
        let cover = Notebook::read(file)?.cover();
        if let (true, Some(figure)) = (self.target.join(&name).exists(), cover) {
            let png = BASE64.decode(&figure.png).context("the cover is no base64")?;
            fs::write(self.folder.join(name), png)
                .with_context(|| format!("cannot write to {}", self.target.display()))?;
        }
        Ok(())
    }

    fn publish(&self) -> Result<()> {
        let publish = || -> io::Result<()> {
            for entry in fs::read_dir(&self.folder)? {
                let entry = entry?;
                let target = self.target.join(entry.file_name());
                fs::rename(entry.path(), &target)?;
                println!("Wrote {}", target.display());
            }
            Ok(())
        };
        publish().with_context(|| format!("cannot write to {}", self.target.display()))
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // If it stays, the next run removes it.
        let _ = fs::remove_dir_all(&self.folder);
    }
}
