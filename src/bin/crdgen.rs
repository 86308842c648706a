//! `crdgen`: the generator behind `make generate`.

use std::path::PathBuf;

use clap::Parser;

/// Writes the CustomResourceDefinitions as YAML, a file a kind.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Folders to write them into; created where they are missing.
    #[arg(required = true)]
    folders: Vec<PathBuf>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Arguments { folders } = Arguments::parse();
    let files = ado_operator::api::crd_files()?;
    for folder in folders {
        std::fs::create_dir_all(&folder)?;
        for (name, yaml) in &files {
            std::fs::write(folder.join(name), yaml)?;
        }
    }
    Ok(())
}
