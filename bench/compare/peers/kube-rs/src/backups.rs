//! CheckpointBackups, followed by list and watch.

use std::{
    collections::HashMap,
    sync::{Arc, RwLock},
};

use anyhow::{Result, anyhow};
use futures::{StreamExt, TryStreamExt};
use kube::{
    Api, CustomResource, ResourceExt,
    runtime::{WatchStreamExt, watcher},
};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

#[derive(CustomResource, Clone, Debug, Deserialize, Serialize)]
#[kube(
    group = "migration.dcnlab.com",
    version = "v1",
    kind = "CheckpointBackup",
    status = "CheckpointBackupStatus",
    schema = "disabled",
    namespaced
)]
#[serde(rename_all = "camelCase")]
pub struct CheckpointBackupSpec {
    pub resource_ref: ResourceRef,
    #[serde(default)]
    pub containers: Vec<Container>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ResourceRef {
    pub kind: String,
    pub name: String,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Container {
    pub name: String,
    #[serde(default)]
    pub image: String,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckpointBackupStatus {
    #[serde(default)]
    pub built_images: Vec<BuiltImage>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BuiltImage {
    pub container_name: String,
    pub image_name: String,
}

/// What a backup refers to, by kind and name; its own name decides between several.
type References = HashMap<(String, String), HashMap<String, Arc<CheckpointBackup>>>;

#[derive(Default)]
struct Index {
    /// By namespace.
    references: HashMap<String, References>,
    /// By namespace and name: what it refers to now.
    known: HashMap<(String, String), (String, String)>,
}

impl Index {
    fn apply(&mut self, mut backup: CheckpointBackup) {
        self.remove(&backup);
        backup.managed_fields_mut().clear();
        let (namespace, name) = (backup.namespace().unwrap_or_default(), backup.name_any());
        let reference = (backup.spec.resource_ref.kind.clone(), backup.spec.resource_ref.name.clone());
        self.known.insert((namespace.clone(), name.clone()), reference.clone());
        self.references.entry(namespace).or_default().entry(reference).or_default().insert(name, Arc::new(backup));
    }

    fn remove(&mut self, backup: &CheckpointBackup) {
        let (namespace, name) = (backup.namespace().unwrap_or_default(), backup.name_any());
        if let Some(reference) = self.known.remove(&(namespace.clone(), name.clone())) {
            if let Some(backups) = self.references.get_mut(&namespace).and_then(|r| r.get_mut(&reference)) {
                backups.remove(&name);
            }
        }
    }
}

#[derive(Clone, Default)]
pub struct Backups(Arc<RwLock<Index>>);

impl Backups {
    /// The one of the Job, else of a CronJob that the Job is named after.
    pub fn find(&self, namespace: &str, job: &str) -> Option<Arc<CheckpointBackup>> {
        let index = self.0.read().expect("nobody panics with the lock");
        let references = index.references.get(namespace)?;
        let of = |kind: &str, name: &str| {
            references.get(&(kind.to_owned(), name.to_owned())).and_then(|backups| backups.values().next().cloned())
        };
        of("Job", job).or_else(|| job.rmatch_indices('-').find_map(|(dash, _)| of("CronJob", &job[..dash])))
    }
}

/// Returns once all that there are have been listed.
pub async fn follow(api: Api<CheckpointBackup>) -> Result<Backups> {
    let backups = Backups::default();
    let (listed, all) = oneshot::channel();
    tokio::spawn(run(api, backups.clone(), listed));
    all.await.map_err(|_| anyhow!("the watch of CheckpointBackups has ended"))?;
    Ok(backups)
}

async fn run(api: Api<CheckpointBackup>, backups: Backups, listed: oneshot::Sender<()>) {
    let mut listed = Some(listed);
    let mut fresh = Index::default();
    let mut events = watcher(api, watcher::Config::default()).default_backoff().boxed();
    loop {
        let event = match events.try_next().await {
            Ok(Some(event)) => event,
            Ok(None) => return,
            Err(error) => {
                eprintln!("watching CheckpointBackups: {error}");
                continue;
            }
        };
        match event {
            watcher::Event::Init => fresh = Index::default(),
            watcher::Event::InitApply(backup) => fresh.apply(backup),
            watcher::Event::InitDone => {
                *backups.0.write().expect("nobody panics with the lock") = std::mem::take(&mut fresh);
                listed.take().map(|listed| listed.send(()));
            }
            watcher::Event::Apply(backup) => backups.0.write().expect("nobody panics with the lock").apply(backup),
            watcher::Event::Delete(backup) => backups.0.write().expect("nobody panics with the lock").remove(&backup),
        }
    }
}
