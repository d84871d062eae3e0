//! A short story from nothing: simulated vendors, a leaked credential, a flagged sign-in; both are
//! dealt with once, with proof, and the second walk of the road finds nothing left to do. At the end
//! one suspension is taken back.

mod leaving;
mod mistake;
mod proof;
mod road;
mod stage;
mod tell;

use std::path::PathBuf;

use protect_connectors::core::Result;
use protect_connectors::core::engine::{Checkup, Step};
use protect_connectors::core::operation::answer;
use protect_sandbox::Fault;
use serde::Serialize;

use crate::app::App;
use crate::args::{Demo, DemoStory};
use crate::exit::Exit;
use crate::output::Answer;
use crate::page::Page;
use crate::progress::Progress;
use crate::vendors;
use crate::words::Names;
use mistake::Mistake;
use proof::Proof;
use road::{Done, Found};
use stage::Stage;

/// The whole story as data.
#[derive(Serialize)]
struct Story {
    seed: u64,
    fault: Option<String>,
    organisation: String,
    doctor: Vec<Checkup>,
    found: Found,
    done: Done,
    /// The evidence that was handed in.
    handed_in: Done,
    proof: Proof,
    second: Second,
    /// A suspension taken back, where one was made in Microsoft 365.
    mistake: Option<Mistake>,
    folder: Option<PathBuf>,
}

/// The second walk of the road.
#[derive(Serialize)]
struct Second {
    found: Found,
    done: Done,
    /// Things that became different at a vendor during it.
    changes_at_vendors: usize,
}

/// Tells the story.
pub(crate) async fn run(app: &App, demo: Demo) -> Result<Option<Answer>> {
    if demo.fault.as_deref() == Some("list") {
        return faults().map(Some);
    }
    if demo.story == Some(DemoStory::Leaving) {
        return Box::pin(leaving::run(app, demo)).await.map(Some);
    }
    let fault = demo.fault.as_deref().map(vendors::fault).transpose()?;
    let output = app.output;
    let stage = Stage::set(&demo, stage::config).await?;
    output.page(&tell::beginning(&stage, &demo))?;

    let progress = Progress::start(output, "asking the vendors");
    let doctor = stage.tenant.doctor().await;
    drop(progress);
    output.page(&tell::doctor(&doctor, fault.as_ref()))?;
    if let Some(fault) = fault {
        stage.sandbox.set_fault(fault);
    }

    let found = road::look(&stage, output).await?;
    let names = Names::of(&stage.tenant).await?;
    output.page(&tell::found(&found, &names))?;
    let plan = stage.tenant.plan().await?;
    output.page(&tell::plan(&plan, &names))?;
    let done = road::act(&stage, plan, output).await?;
    output.page(&tell::done(&done, &names))?;
    let handed_in = road::hand_in(&stage, output).await?;
    output.page(&tell::handed_in(&handed_in))?;
    let proof = proof::read_back(&stage, &done).await?;
    output.page(&tell::proof(&proof, stage.folder.kept()))?;

    let second = walk_again(app, &stage).await?;
    output.page(&tell::second(&second, &Names::of(&stage.tenant).await?))?;
    let mistake = mistake::take_back(&stage, &done, output).await?;
    if let Some(mistake) = &mistake {
        output.page(&tell::mistake(mistake, &names))?;
    }
    let story = Story {
        seed: demo.seed,
        fault: demo.fault,
        organisation: stage.tenant.config().name.clone(),
        doctor,
        found,
        done,
        handed_in,
        proof,
        second,
        mistake,
        folder: stage.folder.kept().map(PathBuf::from),
    };
    let exit = story.exit();
    stage.sandbox.shutdown().await;
    Ok(Some(Answer {
        document: answer(&story)?,
        page: tell::end(&story, exit),
        exit,
    }))
}

async fn walk_again(app: &App, stage: &Stage) -> Result<Second> {
    let before = stage.sandbox.transitions().len();
    let found = road::look(stage, app.output).await?;
    let plan = stage.tenant.plan().await?;
    let done = road::act(stage, plan, app.output).await?;
    Ok(Second {
        found,
        done,
        changes_at_vendors: stage.sandbox.transitions().len() - before,
    })
}

impl Story {
    fn exit(&self) -> Exit {
        let unhealthy = self.doctor.iter().any(|checkup| !checkup.healthy);
        let first = self
            .found
            .exit()
            .and(self.done.exit())
            .and(self.handed_in.exit())
            .and(self.proof.exit());
        let second = self.second.found.exit().and(self.second.done.exit());
        let mistake = self.mistake.as_ref().map_or(Exit::OK, Mistake::exit);
        Exit::trouble(unhealthy || !self.second.opened_nothing())
            .and(first)
            .and(second)
            .and(mistake)
    }
}

impl Story {
    /// What came of every action, of both walks.
    fn steps(&self) -> impl Iterator<Item = &Step> {
        self.done.steps.iter().chain(&self.second.done.steps)
    }
}

impl Second {
    fn opened_nothing(&self) -> bool {
        self.found.new_findings() == 0
            && self.found.scan.incidents.opened.is_empty()
            && self.done.plan.actions.is_empty()
    }
}

/// What `--fault` takes.
fn faults() -> Result<Answer> {
    #[derive(Serialize)]
    struct Named {
        name: &'static str,
        meaning: &'static str,
    }
    let named = Fault::NAMES
        .iter()
        .map(|(name, meaning)| Named { name, meaning });
    let named: Vec<_> = named.collect();
    let mut page = Page::new();
    page.table(tell::faults());
    Answer::many("faults", &named, page)
}
