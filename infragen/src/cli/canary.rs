//! `deploy.canary`: a new version gets a share of the requests, its alarms are watched, and one that goes off sends everything back.

use std::time::{Duration, Instant};

use contract::units::duration_text;
use infragen::deploy::canary::{self, Move};
use infragen::deploy::changes::Changes;
use infragen::deploy::{account, running, versions};
use infragen::doctor::Ran;
use infragen::manifest::canary::Canary;
use infragen::manifest::{Manifest, Names};

use super::Outcome;
use super::deploy::ANSWER_MAX;
use super::run::run;
use super::shell::Shell;
use super::stop::Stop;
use super::terraform::Root;

/// Time between two looks at the alarms, which CloudWatch judges once a minute.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Time between two lines of somebody who waits.
const SAY_EVERY: Duration = Duration::from_secs(60);
/// So many looks in a row that saw nothing end it: what nobody watches is no canary.
const BLIND_MAX: u32 = 3;

/// One canary.
pub(super) struct Watch<'s> {
    pub(super) shell: &'s Shell<'s>,
    pub(super) manifest: &'s Manifest,
    pub(super) stop: &'s Stop,
    pub(super) canary: Canary,
    pub(super) moves: Vec<Move>,
}

impl Watch<'_> {
    /// Gives the new versions their share and watches; returns the plan that gives them everything.
    pub(super) fn run(&self, root: &Root<'_>) -> Result<Changes, Outcome> {
        let before = self.alarms().map_err(|why| {
            self.shell.error(
                &format!("alarms cannot be watched: {why}"),
                Some("`infragen doctor` says whether AWS can be asked"),
            );
            Outcome::NeedsPerson
        })?;
        let share = root.plan(&[canary::variable(self.canary, &self.moves)])?;
        let before = if share.is_idle() {
            // The share is there already, and this goes on where it was stopped: an alarm may speak against it since then.
            root.forget_plan();
            Vec::new()
        } else {
            root.apply()?;
            before
        };
        self.shell.say(&format!(
            "      {} % of the requests go to the new version of {} for {}",
            self.canary.percent(),
            self.names(),
            duration_text(self.canary.lasts())
        ));
        if !before.is_empty() {
            self.shell.say(&format!("      went off before and says nothing about it: {}", before.join(", ")));
        }
        self.watch(&before)?;
        root.plan(&[])
    }

    fn names(&self) -> String {
        self.moves.iter().map(|one| one.function.as_str()).collect::<Vec<_>>().join(" and ")
    }

    fn alarms(&self) -> Result<Vec<String>, String> {
        let ran = run(&account::alarms(self.manifest), ANSWER_MAX);
        running::alarms(&Names::derive(self.manifest), &ran)
            .ok_or_else(|| ran.silence("aws").unwrap_or_else(|| "the answer names none".to_owned()))
    }

    fn watch(&self, before: &[String]) -> Result<(), Outcome> {
        #[expect(clippy::disallowed_methods, reason = "a canary lasts so long")]
        let now = Instant::now;
        let began = now();
        let (mut looked, mut said, mut blind) = (None, began, 0);
        loop {
            if self.stop.is_set() {
                let hint = "run the same command again to go on, or `infragen rollback` to go back";
                let share = self.canary.percent();
                self.shell.error(&format!("stopped with {share} % of the requests at the new version"), Some(hint));
                return Err(Outcome::Interrupted);
            }
            let is_over = now() - began >= self.canary.lasts();
            if is_over || looked.is_none_or(|looked| now() - looked >= LOOK_EVERY) {
                self.still_there()?;
                match self.alarms() {
                    Ok(alarms) => {
                        blind = 0;
                        let against = canary::against(before, &alarms);
                        if !against.is_empty() {
                            let secs = (now() - began).as_secs();
                            return Err(self.back(&format!("after {secs} s there is an alarm: {}", against.join(", "))));
                        }
                        if is_over {
                            return Ok(());
                        }
                    }
                    Err(why) => {
                        blind += 1;
                        self.shell.say(&format!("      alarms could not be looked at: {}", why.trim()));
                        if blind >= BLIND_MAX {
                            return Err(self.back("nobody can see whether alarms go off"));
                        }
                    }
                }
                looked = Some(now());
            }
            if now() - said >= SAY_EVERY {
                said = now();
                self.shell.say(&format!("      {} s, and no alarm", (now() - began).as_secs()));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Sends all requests back to the version before.
    fn back(&self, why: &str) -> Outcome {
        let mut told = Vec::new();
        for one in &self.moves {
            let ran = run(&account::point(self.manifest, &one.function, one.from), ANSWER_MAX);
            match ran.silence("aws") {
                None => told.push(format!("{} runs version {} again", one.function, one.from)),
                Some(failed) => told.push(format!("{} could not be sent back: {}", one.function, failed.trim())),
            }
        }
        let hint =
            "`infragen logs` says what happened; the next deploy tries the new version again, with a share first";
        self.shell.error(&format!("{why}; {}", told.join("; ")), Some(hint));
        Outcome::NeedsPerson
    }

    /// Whether nobody has taken the share away meanwhile.
    fn still_there(&self) -> Result<(), Outcome> {
        for one in &self.moves {
            let ran = run(&account::alias(self.manifest, &one.function), ANSWER_MAX);
            // What cannot be asked is taken as it was.
            let Ran::Done(answer) = ran else { continue };
            if versions::live(&answer).is_some_and(|live| live.beside.is_none()) {
                let message = format!(
                    "`{}` was sent back to version {} meanwhile; nothing more is changed",
                    one.function, one.from
                );
                self.shell.error(&message, Some("run the same command again to try the new version again"));
                return Err(Outcome::NeedsPerson);
            }
        }
        Ok(())
    }
}
