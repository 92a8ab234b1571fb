# sync-creds, the half that runs on the host. Plain POSIX sh; nothing stays behind but one folder.
# Before it come supervisors.sh (which process the wrapper is, how it is restarted), look.sh (how the host is) and, for the
# doctor, inspect.sh (who really runs the wrapper).
#
# It arrives on stdin of a constant command line and reads requests from the same stdin:
#     verb, then `key=value` lines, then a line with a single dot, then `size` raw bytes where a file is sent
# Every line it answers starts with a per-run nonce; whatever else the host prints is noise to the other side.
# Values come in through `read -r` and are only ever used quoted. Secrets go from stdin into files through `dd`:
# no variable, no argument list and no environment ever holds one.
#
# Its folder is <config dir>/.sync-creds, mode 0700:
#     lock       who works on this host now: pid, start time, run, who, since
#     pending/   the change under way, whole: `change` says whose it is and how to restart, a folder for each file what was
#                and what shall be; and this script
#     backups/   the last five changes, files as they were before them; history: one line for each run
#
# The way back is one function, `undo`. It serves a rollback, the dead-man switch (`sh pending/script dead-man`), the
# next run that finds a leftover, and a person: `sh pending/script undo`. Who takes it back is settled by renaming
# pending/armed: `commit` and `undo` both need it, and a rename has one winner.

set -u
whole=${whole-} # how `dd` takes a block at once, where it can; `unknown` beside perl, which takes them itself
# Who we are, and the umask of the login: what the kernel's file tells needs no process to be asked.
uid= their_umask=
[ ! -r /proc/self/status ] || while read -r key first second _; do
  case $key in Umask:) their_umask=$first ;; Uid:) uid=$second ;; esac
  [ -z "$uid" ] || break
done </proc/self/status
[ -n "$their_umask" ] || their_umask=$(umask)
[ -n "$uid" ] || uid=$(id -u)
their_locale=${LC_ALL-none}
umask 077
LC_ALL=C
export LC_ALL
nonce=
state=idle
step_failed=
tab='	'
newline='
'

# ---- answering ----------------------------------------------------------------------------------------------

# An answer is put together first and leaves in one piece: sshd sends a second piece only when the first one has been
# acknowledged, a whole round trip later. `more=yes` says that a further request is on its way, whose answer can go along.
out=
say() { out="$out$nonce $*
"; }
each() {
  [ -n "$2" ] || return 0
  lines=$2$newline
  while [ -n "$lines" ]; do
    say "$1=${lines%%"$newline"*}"
    lines=${lines#*"$newline"}
  done
}
send() {
  [ -z "$out" ] || printf '%s' "$out"
  out=
}
finish() {
  say "end=$1"
  [ -n "$f_more" ] || send
}

# Ends a request without success: a reason from a short list, and what the system said.
refuse() {
  say "fail=$1"
  each detail "$(printf '%s\n' "${2-}" | head -n 12)"
}

# ---- small tools --------------------------------------------------------------------------------------------

# Runs a step, and where it fails runs it once more to hear why: to listen from the start would cost a process each time. The
# step has to bear that. Sets told.
try() { "$@" 2>/dev/null || told=$("$@" 2>&1); }
have() { command -v "$1" >/dev/null 2>&1; }
nap() { tool nap "$1" || sleep "$1" 2>/dev/null || sleep 1; }
# Those that answer in a variable, as `kind_of` does in kind, spare the process that `$(…)` is.
expand() { case $1 in '~') expanded=$HOME ;; '~/'*) expanded=$HOME/${1#??} ;; *) expanded=$1 ;; esac; }

# Hundredths of a second on a clock that nobody sets.
now() {
  if read -r uptime _ 2>/dev/null </proc/uptime; then clock=${uptime%.*}${uptime#*.}; else clock=$(date +%s)00; fi
}

kind_of() {
  if [ -L "$1" ]; then kind=link; elif [ ! -e "$1" ]; then kind=absent; elif [ -f "$1" ]; then kind=file
  elif [ -d "$1" ]; then kind=directory; else kind=other; fi
}

# Sets sums, the content hashes of files, a line for each in their order: one process for all of them.
hash_files() {
  if have sha256sum; then sums=$(sha256sum "$@")$newline
  elif have shasum; then sums=$(shasum -a 256 "$@")$newline
  else sums=$(sha256 -q "$@")$newline; fi
}
# Sets sha, the next of sums. A backslash before it says that the file's name has one.
next_sum() {
  sha=${sums%%"$newline"*}
  sums=${sums#*"$newline"}
  sha=${sha#\\}
  sha=${sha%% *}
}
sha_of() { hash_files "$1" && next_sum; }

# Sets state_now: the content hash of a path, or `absent`; `?` for what is neither absent nor a regular file.
state_of() {
  kind_of "$1"
  case $kind in absent) state_now=absent ;; file) sha_of "$1" && state_now=$sha ;; *) state_now='?' ;; esac
}

# Pushes files and folders to the disk. An old `sync` ignores its arguments and flushes everything, which serves too.
flush() { tool flush "$@" || { [ "$reply" = 2 ] && sync "$@"; }; }

# Reads `key=value` lines up to the dot into variables f_key.
fields() {
  while IFS= read -r field; do
    [ "$field" != . ] || return 0
    case " $known " in
      *" ${field%%=*} "*) eval "f_${field%%=*}=\${field#*=}" ;;
      *) refuse protocol && send && exit 1 ;; # said without the line: it may be part of a file
    esac
  done
}
# How to find, restart and watch the wrapper; a change keeps it for its way back.
recipe='port kind unit scope name service config directory command restart status log timeout start stability unset env reload'
known="run at who what files dir project envfile path more mode root expect sha size confirm lines keep ask $recipe"
no_fields() {
  for key in $known; do eval "f_$key="; done
  f_kind=none f_scope=system f_mode=600 f_size=0 f_files=0 f_confirm=60 f_timeout=60 f_start=30 f_stability=0 f_lines=15 f_keep=5
}

# The umask and locale of a login, for what the user's own commands start.
as_theirs() {
  umask "$their_umask"
  if [ "$their_locale" = none ]; then unset LC_ALL; else LC_ALL=$their_locale; fi
}
detached=
! have setsid || detached=setsid

is_root() { [ "$uid" = 0 ]; }
# A unit's drop-in belongs to root; all else to the account we are.
as_root() { if is_root; then "$@"; else sudo -n "$@"; fi; }

# ---- the lock -----------------------------------------------------------------------------------------------

# One holder at a time. The link appears whole or not at all. A holder that is gone is replaced by whoever first links
# a name that only its run can have; should that one die too, the next removes its link first. Fails with 1 when
# another run holds the lock, with 2 when it cannot be written.
take_lock() {
  mine=$folder/lock.$f_run
  now
  start_of $$
  for _ in 1 2 3 4 5; do
    if try write_lock && try ln "$mine" "$folder/lock"; then
      holding=$mine
      return 0
    fi
    [ -s "$mine" ] || break
    read_lock || continue
    if is_running "$pid" "$start"; then
      tell_holder holder
      rm -f "$mine"
      return 1
    fi
    if ln "$mine" "$folder/lock.$run.taken" 2>/dev/null; then
      # While we looked, another may have taken over and gone: only the dead holder's lock is removed.
      if read -r _ _ now_run _ 2>/dev/null <"$folder/lock" && [ "$now_run" = "$run" ]; then
        rm -f "$folder/lock" "$folder/lock.$run"
      fi
      rm -f "$folder/lock.$run.taken"
    elif read -r pid start _ 2>/dev/null <"$folder/lock.$run.taken" && ! is_running "$pid" "$start"; then
      rm -f "$folder/lock.$run.taken"
    fi
  done
  [ -s "$mine" ] && [ -e "$folder/lock" ] && rm -f "$mine" && return 1
  rm -f "$mine"
  return 2
}
write_lock() { [ -s "$mine" ] || printf '%s %s %s %s %s\n' "$$" "$began" "$f_run" "$f_who" "$clock" >"$mine"; }
holding=
drop_lock() {
  [ -z "$holding" ] || rm -f "$folder/lock" "$holding"
  holding=
}
read_lock() { read -r pid start run who since 2>/dev/null <"$folder/lock"; }

# The run, who it is of, and for how many seconds it has held the lock, which older versions did not note.
tell_holder() {
  now
  case $since in
    '' | *[!0-9]*) say "$1=$run $who" ;;
    *) say "$1=$run $who $(( (clock - since) / 100))" ;;
  esac
}

# Ends the run that a person was shown as the holder, if it is still that one. It is asked first: it then gives up what it
# has only begun. What it has installed is undone by its watch process, or by the next run.
unlock() {
  if ! read_lock || [ "$run" != "$f_expect" ] || ! is_running "$pid" "$start"; then
    say "ended=already"
    finish unlock && return
  fi
  for signal in TERM KILL; do
    told=$(kill -s "$signal" "$pid" 2>&1)
    now
    give_up=$((clock + 500))
    while is_running "$pid" "$start" && [ "$clock" -lt "$give_up" ]; do nap 0.1 && now; done
  done
  if is_running "$pid" "$start"; then refuse alive "$told" && finish unlock && return; fi
  # A dead holder's lock is only ever taken over: another run may have been faster.
  ! take_lock || drop_lock
  say "ended=now"
  finish unlock
}

# ---- the change ---------------------------------------------------------------------------------------------

begin() {
  step_failed=
  files=0
  pending=$folder/pending
  [ -d "$dir" ] || try mkdir -p "$dir" || { fail_step directory "$told" && return; }
  kind_of "$folder"
  case $kind in
    absent) try mkdir "$folder" || { fail_step directory "$told" && return; } ;;
    directory) ;;
    *) fail_step unsafe "$folder is not a folder" && return ;;
  esac
  take_lock
  case $? in 1) fail_step busy && return ;; 2) fail_step write "$told" && return ;; esac
  if [ -e "$pending" ]; then fail_step leftover && return; fi
  wait_for_claude || { fail_step renewing && return; }
  state=begun
  try write_journal || { fail_step write "$told" && return; }
  finish begin
}
write_journal() {
  set -- "$pending"
  while [ "$#" -le "$f_files" ]; do set -- "$@" "$pending/$#"; done
  mkdir -p "$@" && printf '%s\n' "$sync_creds" >"$pending/script" && describe_change >"$pending/change"
}
describe_change() {
  about="run=$f_run${newline}who=$f_who${newline}what=${f_what:-push}${newline}confirm=$f_confirm${newline}dir=$dir"
  for key in $recipe; do eval "about=\$about\${newline}$key=\$f_$key"; done
  printf '%s\n' "$about"
}

# The host's own Claude may be renewing its login. Its locks are folders that it touches every few seconds: they are
# waited for, never removed; one that was not touched for a minute is nobody's.
wait_for_claude() {
  now
  give_up=$((clock + 2000))
  for held in "$dir/.oauth_refresh.lock" "$dir.lock"; do
    while [ -d "$held" ] && [ -n "$(find "$held" -prune -mmin -1 2>/dev/null)" ]; do
      now
      [ "$clock" -lt "$give_up" ] || return 1
      nap 0.2
    done
  done
}

# A step failed before anything took effect: remove our traces, and skip the steps that were sent with it.
fail_step() {
  refuse "$@"
  step_failed=yes
  abandon
  finish "${verb}"
}
abandon() {
  if [ "$state" = begun ]; then
    for entry in "$pending"/[0-9]*; do
      if load_entry; then $as rm -f "$target.$run_name" && unmake_folders; fi
    done
    rm -rf "$pending"
  fi
  state=idle
  drop_lock
}

# One file of the change: checked, backed up, staged beside its target. Nothing has changed yet.
file() {
  files=$((files + 1))
  entry=$pending/$files
  staged=$f_path.$run_name
  as=
  [ "$f_root" != yes ] || as=as_root
  if [ -n "$step_failed" ]; then drain && refuse skipped && finish file && return; fi
  if [ -n "$as" ]; then told=$(as_root true 2>&1) || { drain && fail_step privilege "$told" && return; }; fi
  kind_of "$f_path"
  case $kind in absent | file) ;; *) drain && fail_step unsafe "$f_path is a $kind" && return ;; esac
  was=$f_expect
  case $kind/$was in absent/absent) ;; absent/* | file/absent) drain && fail_step changed && return ;; esac
  try prepare && { [ "$f_sha" = absent ] || stage; } && finish file && return
  [ "$?" = 3 ] || drain
  fail_step write "$told"
}
prepare() {
  { [ -d "$entry" ] || mkdir "$entry"; } && printf '%s\n' "$f_path" "$was" "$f_sha" "$as" >"$entry/about" &&
    { [ "$was" = absent ] || keep "$f_path" "$entry/backup"; } && make_folders || return 1
}
# The file as it is, under a second name: the new one takes its place as a whole, and nobody writes to what has no other
# name. A copy where that cannot be: on another disk, of another account's file, or where it has a second name already.
keep() { tool keep "$1" "$2" || cp -p "$1" "$2"; }
# A new file has the owner and group of the one it replaces, and its mode before the first byte of its content. Fails with 3
# when that has been read.
stage() {
  try create "$staged" || return 1
  if [ "$was" != absent ] && ! { is_ours "$f_path" && is_ours "$staged"; }; then
    try $as cp -p "$f_path" "$staged" || return 1
  fi
  try $as chmod "$f_mode" "$staged" || return 1
  if [ -n "$whole" ] && [ -z "$as" ] && [ "$f_size" -gt 0 ]; then
    receive "$staged" && return 0
  else
    # The second cat: what the disk has no room for must not be taken for the next request.
    told=$( { take | { fill "$staged" || { cat >/dev/null && false; }; }; } 2>&1) && return 0
  fi
  return 3
}
# It belongs to the account we are, and so does a file that we make.
is_ours() { [ -O "$1" ] && [ -G "$1" ]; }
# A file that must not be there yet, and its content from stdin. A redirection is the shell's own, so root needs another.
create() {
  if [ -n "$as" ]; then
    as_root sh -c 'set -C && : >"$1"' sh "$1"
    return
  fi
  set -C
  printf '' >"$1"
  created=$?
  set +C
  return "$created"
}
fill() { if [ -n "$as" ]; then as_root sh -c 'cat >"$1"' sh "$1"; else cat >"$1"; fi; }
# The content that comes behind a request: into a file that is there, or on.
receive() {
  if tool take "$f_size" "$1" 2>/dev/null; then return; fi
  [ "$reply" = 2 ] || { told=$reply && return 1; }
  told=$(dd bs="$f_size" count=1 "$whole" 2>&1 >"$1") && return 0
  told=${told%%"$newline"*} # without its statistics
  return 1
}
take() {
  case $whole in unknown) learn_dd ;; esac
  if [ -n "$whole" ] && [ "$f_size" -gt 0 ]; then dd bs="$f_size" count=1 "$whole"; else dd bs=1 count="$f_size"; fi
} 2>/dev/null
drain() { take >/dev/null || :; }
# The folders of the file that are not there yet, outermost first; the way back removes them.
make_folders() {
  missing=
  place=${f_path%/*}
  while [ -n "$place" ] && [ ! -d "$place" ]; do
    missing="$place
$missing"
    place=${place%/*}
  done
  [ -n "$missing" ] || return 0
  # Where this is done once more (see `try`), some of them may be there by now.
  [ -s "$entry/made" ] || printf '%s' "$missing" >"$entry/made" || return 1
  if [ -n "$as" ]; then as_root mkdir -p -m 755 "${f_path%/*}"; else mkdir -p "${f_path%/*}"; fi
}
unmake_folders() {
  [ -r "$entry/made" ] || return 0
  sort -r "$entry/made" | while IFS= read -r place; do $as rmdir "$place" 2>/dev/null; done
}
# One entry of the change: target, was, became, and as, what must stand before commands on it.
load_entry() {
  { IFS= read -r target && IFS= read -r was && IFS= read -r became && IFS= read -r as; } 2>/dev/null <"$entry/about"
}

install() {
  if [ -n "$step_failed" ]; then refuse skipped && finish install && return; fi
  wanted=
  set --
  for entry in "$pending"/[0-9]*; do
    [ -d "$entry" ] && load_entry || continue
    kind_of "$target"
    case $kind/$was in
      absent/absent) ;;
      file/absent) fail_step changed && return ;;
      file/*) set -- "$@" "$target" "$entry/backup" && wanted="$wanted changed $was changed $was" ;;
      *) fail_step changed && return ;;
    esac
    [ "$became" = absent ] || { set -- "$@" "$target.$run_name" && wanted="$wanted damaged $became"; }
  done
  compare "$@" || { fail_step "$reason" "$path" && return; }
  set -- "$@" "$pending"/* "$pending" "$folder"
  [ ! -d "$pending/1" ] || set -- "$@" "$pending"/[0-9]*/*
  try arm "$@" || { fail_step write "$told" && return; }
  watch_out
  state=installed
  set --
  for entry in "$pending"/[0-9]*; do
    [ -d "$entry" ] && load_entry || continue
    set -- "${target%/*}" "$@"
    if [ "$became" = absent ]; then try $as rm -f "$target"; else try $as mv -f "$target.$run_name" "$target"; fi ||
      { take_back write "$told" && return; }
  done
  [ "$#" = 0 ] || try flush "$@" || { take_back write "$told" && return; }
  finish install
}
# All that is about to count is as it should be: each target as it was, its copy the same, the new file whole. It is the copy
# that would go back. `wanted` says what each of the files has to be, and what it means if it is not.
compare() {
  [ "$#" = 0 ] || hash_files "$@" 2>/dev/null
  for want in $wanted; do
    case $want in
      changed | damaged) reason=$want path=$1 && shift ;;
      *) next_sum && [ "$sha" = "$want" ] || return 1 ;;
    esac
  done
}
# All of it is on the disk before the watch begins.
arm() { flush "$@" && printf '1 %s\n' "$f_confirm" >"$pending/alive" && printf '' >"$pending/armed"; }
take_back() {
  refuse "$@"
  step_failed=yes
  answer=$out
  if undo rolled-back >/dev/null 2>&1; then undone=yes; else undone=no; fi
  out=$answer
  say "undone=$undone"
  finish install
}

# ---- the dead-man switch ------------------------------------------------------------------------------------

# Starts a process of its own session that undoes the change unless it hears of us in time. It is small as long as it only
# waits: then it becomes this script.
watch_out() {
  if tool watch "$pending"; then watcher=$reply && return; fi
  {
    as_theirs
    exec $detached /bin/sh -c "$watch" "$pending"
  } </dev/null >/dev/null 2>&1 4>&- 5<&- &
  watcher=$!
}
watch='trap "" HUP
heard= left=60
while [ -e "$0/armed" ]; do
  read -r beat patience 2>/dev/null <"$0/alive" || beat=$heard
  if [ "$beat" != "$heard" ]; then heard=$beat left=$patience; fi
  [ "$left" -gt 0 ] || exec /bin/sh "$0/script" dead-man
  left=$((left - 1))
  sleep 1
done'
dead_man() {
  trap '' HUP
  [ -e "$pending/armed" ] || return 0
  undo dead-man
  # Whoever armed us hears nobody any more. Alive, it would keep the lock until its connection is given up.
  if read -r pid start run _ 2>/dev/null <"$folder/lock" && [ "sync-creds-$run" = "$run_name" ]; then
    ! is_running "$pid" "$start" || kill -KILL "$pid"
    rm -f "$folder/lock" "$folder/lock.$run"
  fi
}
beats=1
# Written in place: `read` takes no line whose end is not there yet, and then the former beat goes on.
alive() {
  beats=$((beats + 1))
  printf '%s %s\n' "$beats" "$((f_confirm + $1))" >"$pending/alive"
}

# ---- the two ends: commit, or undo --------------------------------------------------------------------------

commit() {
  if mv "$pending/armed" "$pending/committed" 2>/dev/null; then
    state=committed
    kill "$watcher" 2>/dev/null
    stamp=${f_at:-$(date -u +%Y%m%dT%H%M%SZ)}
    kept=$folder/backups/$stamp-$run_name
    [ -d "$folder/backups" ] || mkdir "$folder/backups" 2>/dev/null
    mv "$pending" "$kept" 2>/dev/null || rm -rf "$pending"
    remember committed "$stamp"
    if [ -d "$kept/1" ]; then
      # What is only of use to a change under way goes with the lock.
      rm -f "$folder/lock" "$holding" "$kept/script" "$kept/alive" "$kept/restarting" "$kept/environment" "$kept/pm2"
    else
      rm -rf "$folder/lock" "$holding" "$kept"
    fi
    holding=
    finish commit
    set -- "$folder/backups"/*
    [ "$#" -le 5 ] || keep_backups 5 >/dev/null
  else
    refuse undone
    finish commit
  fi
}

# Newest first, by the history: clocks are set, and two changes may share a second. What others have put there is not ours.
names_of_backups() {
  for path in "$folder/backups"/*; do printf '%s\n' "${path##*/}"; done |
    awk -v history="$folder/history" '
      BEGIN { while ((getline line <history) > 0) { split(line, part, "\t"); place[part[1] "-" part[2]] = ++lines } }
      !/^[0-9]+T[0-9]+Z-sync-creds-[0-9A-Za-z_.-]+$/ { next }
      $0 in place { known[place[$0]] = $0; next }
      { unknown[++count] = $0 }
      END {
        for (line = lines; line > 0; line--) if (line in known) print known[line]
        for (; count > 0; count--) print unknown[count]
      }'
}
# All but $1 go, the older first, and last of all the one for a rollback; their names are told.
keep_backups() {
  names=$(names_of_backups) left=$1 seen=
  find_newest "$names"
  for name in $dear $names; do
    if [ "$name" = "$dear" ]; then [ -z "$seen" ] || continue; fi
    seen=yes
    if [ "$left" -gt 0 ]; then left=$((left - 1)); else rm -rf "$folder/backups/$name" && printf '%s\n' "$name"; fi
  done
}
# Sets dear, the newest that a rollback can use: no switch, and not one that was set aside.
find_newest() {
  dear=
  for name in $1; do
    read_change "$folder/backups/$name"
    if [ "${what%% *}" != switch ] && [ -e "$folder/backups/$name/committed" ]; then dear=$name && return; fi
  done
}

# Each change that is kept, newest first, with its files as they were before it. Straight to the other side.
list_backups() {
  {
    list "$folder"/backups/*/*/backup
    names_of_backups | while IFS= read -r name; do
      kept=$folder/backups/$name
      read_change "$kept"
      if [ -e "$kept/committed" ]; then end=committed; else end=set-aside; fi
      printf '%s backup=%s %s %s\n' "$nonce" "$end" "$name" "$who"
      printf '%s what=%s\n' "$nonce" "$what"
      for entry in "$kept"/[0-9]*; do
        load_entry || continue
        printf '%s entry=%s %s %s %s\n' "$nonce" "$was" "$became" "${as:-none}" "$target"
        [ "$was" = absent ] || show "$entry/backup"
      done
    done
    printf '%s end=backups\n' "$nonce"
  } | dd obs=1048576 2>/dev/null
  out=
}

# Keeps the newest $f_keep backups.
prune_backups() {
  if [ ! -d "$folder/backups" ]; then finish prune && return; fi
  take_lock
  case $? in 1) refuse busy && finish prune && return ;; 2) refuse write "$told" && finish prune && return ;; esac
  each pruned "$(keep_backups "$f_keep")"
  drop_lock
  finish prune
}

remember() {
  printf "%s$tab%s$tab%s$tab%s\n" "${2:-$(date -u +%Y%m%dT%H%M%SZ)}" "$run_name" "$1" "$f_who" >>"$folder/history"
}

# Puts every file back as it was, unless somebody else has changed it since, and restarts if a restart had begun.
# A copy that does not match its own checksum is not put back: better a wrong login than a broken file.
undo() {
  if ! mv "$pending/armed" "$pending/undoing" 2>/dev/null; then
    read -r pid start 2>/dev/null <"$pending/undoer" || pid=
    if [ -n "$pid" ] && [ "$pid" != $$ ] && is_running "$pid" "$start"; then refuse busy && return 1; fi
    if [ ! -e "$pending/undoing" ] && [ -e "$pending/committed" ]; then rm -rf "$pending" && return 0; fi
  fi
  start_of $$
  printf '%s %s\n' "$$" "$began" >"$pending/undoer"
  undone=yes
  for entry in "$pending"/[0-9]*; do
    [ -d "$entry" ] || continue
    put_back "$entry" || undone=$reason
  done
  case $undone in
    yes) ;;
    changed) set_aside && return 1 ;;
    *) remember undo-failed && return 1 ;;
  esac
  if [ -e "$pending/restarting" ]; then
    state=undoing
    step_failed=
    restart
  fi
  remember "$1"
  rm -rf "$pending"
  state=idle
  drop_lock
}

# Somebody else has written the file since: theirs stays, the former one is kept, and the host is free again.
set_aside() {
  [ -d "$folder/backups" ] || mkdir "$folder/backups"
  rm -f "$pending/environment"
  stamp=$(date -u +%Y%m%dT%H%M%SZ)
  mv "$pending" "$folder/backups/$stamp-$run_name"
  remember conflict "$stamp"
  keep_backups 5 >/dev/null
  state=idle
  drop_lock
}

put_back() {
  reason=failed
  entry=$1
  load_entry || return 0
  $as rm -f "$target.$run_name"
  state_of "$target" && found=$state_now
  if [ "$found" = "$was" ]; then unmake_folders && return 0; fi
  if [ "$found" != "$became" ]; then reason=changed && refuse changed "$target" && part; return 1; fi
  if [ "$was" = absent ]; then
    told=$( { $as rm -f "$target" && flush "${target%/*}"; } 2>&1) || { refuse write "$told" && return 1; }
    unmake_folders
  else
    sha_of "$entry/backup"
    if [ "$sha" != "$was" ]; then refuse damaged "$entry/backup" && return 1; fi
    # On a full disk there is no room for a copy: then the backup itself goes back.
    told=$( {
      { $as cp -p "$entry/backup" "$target.$run_name" && own_again && flush "$target.$run_name" && $as mv -f "$target.$run_name" "$target"; } ||
        { $as rm -f "$target.$run_name" && $as mv -f "$entry/backup" "$target"; }
      } 2>&1 && flush "${target%/*}" 2>&1) || { refuse write "$told" && return 1; }
  fi
}
# Written in place before ours took its place: it is what was kept as well (see `keep`), and shall not stay so.
part() { [ ! "$target" -ef "$entry/backup" ] || { cp -p "$target" "$entry/copy" && mv -f "$entry/copy" "$entry/backup"; }; }
# The backup of a file of root is ours: its copy becomes root's again.
own_again() { [ -z "$as" ] || as_root chown 0:0 "$target.$run_name"; }

rollback() {
  if [ ! -e "$pending" ]; then say "undone=earlier"; else undo rolled-back && say "undone=yes"; fi
  finish rollback
}

# A leftover of a run that did not come to an end.
recover() {
  take_lock || { refuse busy && finish recover && return; }
  pending=$folder/pending
  if [ -e "$pending" ]; then
    load_pending
    if undo recovered; then say "undone=yes"; elif [ ! -e "$pending" ]; then say "undone=set-aside"; fi
  fi
  drop_lock
  finish recover
}

# What `pending` says about the run that made it.
load_pending() {
  f_run= f_who=unknown
  [ ! -r "$pending/change" ] || fields <"$pending/change"
  run_name=sync-creds-$f_run
  dir=${f_dir:-${dir-}}
}
# Sets who and what: whose a change is, and what it was for.
read_change() {
  who=unknown what=push
  while IFS= read -r line; do
    case $line in who=*) who=${line#who=} ;; what=*) what=${line#what=} ;; dir=*) break ;; esac
  done 2>/dev/null <"$1/change"
}

# ---- main ---------------------------------------------------------------------------------------------------

on_exit() {
  case $state in
    begun) abandon ;;
    installed) alive 0 2>/dev/null ;; # cut off in a restart: its long patience is over
  esac
  drop_lock # the change, if there is one, is the watch process's now
}

serve() {
  case $with_toolbox in yes) use_toolbox ;; esac
  trap on_exit EXIT
  trap 'exit 129' HUP
  trap 'exit 141' PIPE
  trap 'exit 143' TERM
  IFS= read -r nonce || exit 1
  out="
"
  no_fields
  run_name=
  while IFS= read -r verb; do
    f_more=
    fields
    run_name=sync-creds-$f_run
    case $verb in
      probe | inspect | begin | file | install | restart | commit | rollback | recover | unlock) "$verb" ;;
      read) read_file ;;
      backups) list_backups ;;
      prune) prune_backups ;;
      alive)
        [ "$state" != installed ] || alive 0
        finish alive ;;
      *) refuse protocol && send && exit 1 ;;
    esac
  done
}

case ${1-serve} in
  serve) serve ;;
  *)
    pending=${0%/*}
    folder=${pending%/*}
    watcher= nonce=sync-creds:
    no_fields
    load_pending
    case $1 in dead-man) dead_man ;; undo) undo by-hand ;; *) exit 2 ;; esac
    send
    ;;
esac
