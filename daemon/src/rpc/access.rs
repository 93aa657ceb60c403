//! Who may call: the daemon's own user and root everything, others what the configuration gives to
//! them, to a group of theirs, or to a certificate.

use std::{
    collections::HashMap,
    ffi::CString,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use nix::unistd::{Group, Uid, User, getgrouplist};

use super::{peer::Peer, rights::Right};
use crate::config::AccessConfig;

/// A change of groups counts after this long.
const REMEMBERED: Duration = Duration::from_mins(1);

/// A handle; cheap to clone.
#[derive(Debug, Clone)]
pub struct Access(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// The daemon's.
    own: u32,
    /// Highest right first.
    rules: Vec<(Right, Who)>,
    known: Mutex<HashMap<u32, (Option<Right>, Instant)>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Who {
    User(u32),
    Group(u32),
    Certificate(String),
}

impl Access {
    /// Users by name or number, groups as `@name`, certificates as `sha256:` and their fingerprint; an error names one that the
    /// machine does not have.
    pub fn new(config: &AccessConfig) -> Result<Self, String> {
        let mut rules = Vec::new();
        for (right, names) in
            [(Right::Manage, &config.manage), (Right::Work, &config.work), (Right::Read, &config.read)]
        {
            for name in names {
                let who = who(name).ok_or_else(|| format!("access.{}: there is no {name}", right.name()))?;
                rules.push((right, who));
            }
        }
        Ok(Self(Arc::new(Inner { own: nix::unistd::getuid().as_raw(), rules, known: Mutex::default() })))
    }

    /// What whoever is there may do, `None` being nothing; or that it has to be looked up.
    pub(super) fn known(&self, peer: &Peer) -> Known {
        match peer {
            Peer::User(uid) => self.known_user(*uid),
            Peer::Certificate(hash) => Known::Is(of_certificate(&self.0.rules, hash)),
            Peer::Unknown => Known::Is(None),
        }
    }

    fn known_user(&self, uid: u32) -> Known {
        if uid == self.0.own || uid == 0 {
            return Known::Is(Some(Right::Manage));
        }
        if self.0.rules.is_empty() {
            return Known::Is(None);
        }
        let known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.get(&uid).filter(|(_, at)| at.elapsed() < REMEMBERED);
        known.map_or(Known::NotYet(uid), |(right, _)| Known::Is(*right))
    }

    /// Looks into the machine's lists of users, which may be far away. Blocks.
    pub(super) fn look_up(&self, uid: u32) -> Option<Right> {
        let right = best(&self.0.rules, uid, &groups_of(uid));
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner).insert(uid, (right, Instant::now()));
        right
    }
}

/// What is known of a user without looking.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Known {
    Is(Option<Right>),
    /// The user has to be looked up.
    NotYet(u32),
}

/// The highest right of any rule that fits.
fn best(rules: &[(Right, Who)], uid: u32, groups: &[u32]) -> Option<Right> {
    let fits = |who: &Who| match who {
        Who::User(user) => *user == uid,
        Who::Group(group) => groups.contains(group),
        Who::Certificate(_) => false,
    };
    rules.iter().filter(|(_, who)| fits(who)).map(|(right, _)| *right).max()
}

fn of_certificate(rules: &[(Right, Who)], hash: &str) -> Option<Right> {
    let fits = |who: &Who| matches!(who, Who::Certificate(known) if known == hash);
    rules.iter().filter(|(_, who)| fits(who)).map(|(right, _)| *right).max()
}

/// With or without colons, as tools print it.
fn fingerprint(text: &str) -> Option<String> {
    let hash: String = text.chars().filter(|c| *c != ':').map(|c| c.to_ascii_lowercase()).collect();
    (hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(hash)
}

fn who(name: &str) -> Option<Who> {
    if let Some(text) = name.strip_prefix("sha256:") {
        return fingerprint(text).map(Who::Certificate);
    }
    if let Some(group) = name.strip_prefix('@') {
        return Group::from_name(group).ok().flatten().map(|group| Who::Group(group.gid.as_raw()));
    }
    let user = User::from_name(name).ok().flatten().map(|user| user.uid.as_raw());
    user.or_else(|| name.parse().ok()).map(Who::User)
}

/// All groups of a user; none of one that the machine does not know.
fn groups_of(uid: u32) -> Vec<u32> {
    let Ok(Some(user)) = User::from_uid(Uid::from_raw(uid)) else { return Vec::new() };
    let Ok(name) = CString::new(user.name) else { return Vec::new() };
    getgrouplist(&name, user.gid).unwrap_or_default().into_iter().map(nix::unistd::Gid::as_raw).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_right_counts_and_strangers_have_none() {
        let rules = [(Right::Work, Who::Group(20)), (Right::Read, Who::User(7)), (Right::Read, Who::Group(10))];
        assert_eq!(best(&rules, 7, &[]), Some(Right::Read));
        assert_eq!(best(&rules, 7, &[10, 20]), Some(Right::Work));
        assert_eq!(best(&rules, 8, &[10]), Some(Right::Read));
        assert_eq!(best(&rules, 8, &[11]), None);
    }

    #[test]
    fn names_are_those_of_the_machine() {
        assert_eq!(who("root"), Some(Who::User(0)));
        assert_eq!(who("@root"), Some(Who::Group(0)));
        assert_eq!(who("4711"), Some(Who::User(4711)));
        let config = AccessConfig { read: vec!["@no-such-group".into()], ..AccessConfig::default() };
        assert!(Access::new(&config).unwrap_err().contains("access.read: there is no @no-such-group"));
    }

    #[test]
    fn the_daemons_own_user_and_root_may_everything_and_nobody_else_without_a_rule() {
        let access = Access::new(&AccessConfig::default()).unwrap();
        let known = |access: &Access, uid| access.known(&Peer::User(uid));
        assert_eq!(known(&access, nix::unistd::getuid().as_raw()), Known::Is(Some(Right::Manage)));
        assert_eq!(known(&access, 0), Known::Is(Some(Right::Manage)));
        assert_eq!(known(&access, 4_711), Known::Is(None));
        assert_eq!(access.known(&Peer::Unknown), Known::Is(None));
        let access = Access::new(&AccessConfig { read: vec!["4711".into()], ..AccessConfig::default() }).unwrap();
        assert_eq!(known(&access, 4_711), Known::NotYet(4_711));
        assert_eq!((access.look_up(4_711), known(&access, 4_711)), (Some(Right::Read), Known::Is(Some(Right::Read))));
    }

    #[test]
    fn a_certificate_is_known_by_its_fingerprint_alone() {
        let hash = "0123456789abcdef".repeat(4);
        let upper = hash.to_uppercase();
        let printed = upper.as_bytes().chunks(2).map(|two| String::from_utf8_lossy(two).into_owned());
        let printed = printed.collect::<Vec<_>>().join(":");
        let config = AccessConfig { work: vec![format!("sha256:{printed}")], ..AccessConfig::default() };
        let access = Access::new(&config).unwrap();
        assert_eq!(access.known(&Peer::Certificate(hash.as_str().into())), Known::Is(Some(Right::Work)));
        assert_eq!(access.known(&Peer::Certificate("0".repeat(64).into())), Known::Is(None));
        let config = AccessConfig { work: vec!["sha256:12".into()], ..AccessConfig::default() };
        assert!(Access::new(&config).unwrap_err().contains("access.work"));
    }
}
