#!/bin/sh
# Installs the files of an unpacked archive, or removes exactly those files again.
#
# Usage: ./install.sh [--prefix FOLDER] [--uninstall]     the default prefix is ~/.local
set -eu
prefix=${HOME:-}/.local
action=install
while [ $# -gt 0 ]; do
    case $1 in
        --prefix) prefix=${2:?--prefix needs a folder}; shift 2 ;;
        --prefix=*) prefix=${1#--prefix=}; shift ;;
        --uninstall) action=uninstall; shift ;;
        *) echo "install.sh: unknown argument $1: expected --prefix FOLDER or --uninstall" >&2; exit 2 ;;
    esac
done
here=$(cd "$(dirname "$0")" && pwd)

# Source in the archive, and target below the prefix.
files() {
    for binary in intercom-pp-cli intercom-pp-mcp; do
        echo "755 bin/$binary bin/$binary"
    done
    for page in "$here"/man/*.1; do
        echo "644 man/${page##*/} share/man/man1/${page##*/}"
    done
    echo "644 completions/intercom-pp-cli.bash share/bash-completion/completions/intercom-pp-cli"
    echo "644 completions/_intercom-pp-cli share/zsh/site-functions/_intercom-pp-cli"
    echo "644 completions/intercom-pp-cli.fish share/fish/vendor_completions.d/intercom-pp-cli.fish"
}

files | while read -r mode source target; do
    if [ "$action" = uninstall ]; then
        rm -f "$prefix/$target"
        # Folders that are empty now; others stay.
        (cd "$prefix" 2>/dev/null && rmdir -p "$(dirname "$target")" 2>/dev/null) || true
    else
        mkdir -p "$prefix/$(dirname "$target")"
        # A running program keeps its old file.
        rm -f "$prefix/$target"
        cp "$here/$source" "$prefix/$target"
        chmod "$mode" "$prefix/$target"
    fi
done

if [ "$action" = uninstall ]; then
    echo "removed intercom-pp-cli from $prefix; mirrors and settings are left"
    exit 0
fi
echo "installed $("$prefix/bin/intercom-pp-cli" --version) in $prefix"
case ":${PATH:-}:" in
    *":$prefix/bin:"*) ;;
    *) echo "add it to your PATH: export PATH=\"$prefix/bin:\$PATH\"" ;;
esac
