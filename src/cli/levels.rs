//! The levels of a command line that was read: `contacts`, `notes`, `list`.

use clap::ArgMatches;

/// The words of the command, and the matches of each of its levels, outermost first.
pub fn levels(matches: &ArgMatches) -> (Vec<&str>, Vec<&ArgMatches>) {
    let (mut words, mut levels) = (Vec::new(), vec![matches]);
    let mut level = matches;
    while let Some((word, below)) = level.subcommand() {
        words.push(word);
        levels.push(below);
        level = below;
    }
    (words, levels)
}
