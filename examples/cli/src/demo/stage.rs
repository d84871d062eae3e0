//! What the story needs: vendors, a folder, a configuration, an engine.

use std::path::{Path, PathBuf};

use protect_connectors::Protect;
use protect_connectors::core::engine::Tenant;
use protect_connectors::core::ledger::LedgerKey;
use protect_connectors::core::model::Mode;
use protect_connectors::core::secret::ExposeSecret as _;
use protect_connectors::core::{Error, Result};
use protect_sandbox::Sandbox;
use tempfile::TempDir;

use crate::app;
use crate::args::Demo;
use crate::vendors::{self, SecretPlace};

/// Everything the story plays on.
pub(super) struct Stage {
    pub(super) sandbox: Sandbox,
    pub(super) folder: Folder,
    pub(super) protect: Protect,
    pub(super) tenant: Tenant,
}

/// Where files go: kept, or gone with the demo.
pub(super) enum Folder {
    Kept(PathBuf),
    Temporary(TempDir),
}

impl Folder {
    fn of(demo: &Demo) -> Result<Self> {
        let Some(path) = &demo.keep else {
            let folder = TempDir::with_prefix("protect-demo-").map_err(|error| {
                app::about(&std::env::temp_dir(), "cannot hold a folder", error)
            })?;
            return Ok(Self::Temporary(folder));
        };
        std::fs::create_dir_all(path)
            .map_err(|error| app::about(path, "cannot be a folder", error))?;
        let mut inside =
            std::fs::read_dir(path).map_err(|error| app::about(path, "cannot be read", error))?;
        if inside.next().is_some() {
            return Err(Error::invalid_input(
                "the folder is not empty; the demo begins from nothing",
            )
            .with_context("folder", path.display().to_string()));
        }
        Ok(Self::Kept(path.clone()))
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Temporary(folder) => folder.path(),
        }
    }

    /// The folder, where somebody wants to look at it afterwards.
    pub(super) fn kept(&self) -> Option<&Path> {
        match self {
            Self::Kept(path) => Some(path),
            Self::Temporary(_) => None,
        }
    }
}

/// What the first story needs.
#[expect(
    clippy::unnecessary_wraps,
    reason = "other stories write files for theirs"
)]
pub(super) fn config(sandbox: &Sandbox, _: &Path) -> Result<String> {
    Ok(vendors::config(sandbox, Mode::Enforce, SecretPlace::Files))
}

impl Stage {
    /// Starts the vendors and opens the engine on a configuration written for them.
    pub(super) async fn set(
        demo: &Demo,
        text: impl FnOnce(&Sandbox, &Path) -> Result<String>,
    ) -> Result<Self> {
        let folder = Folder::of(demo)?;
        let sandbox = Sandbox::builder().seed(demo.seed).start().await;
        let sandbox = sandbox.map_err(vendors::not_started)?;
        let config = folder.path().join("protect.toml");
        let text = text(&sandbox, folder.path())?;
        app::write_new(&config, &text)?;
        vendors::write_secrets(&sandbox, folder.path())?;
        let (context, _) = protect_connectors::context()?;
        let key = LedgerKey::generate(context.random.as_ref());
        app::write_secret(
            &folder.path().join("ledger.key"),
            key.to_pem()?.expose_secret(),
        )?;
        let protect = Protect::builder().context(context).open(&config).await?;
        let tenant = protect.tenant("acme")?;
        Ok(Self {
            sandbox,
            folder,
            protect,
            tenant,
        })
    }
}
