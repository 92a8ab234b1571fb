# Part of sync-creds' remote half: a toolbox, for speed alone. A push takes some thirty small steps, and each would be a
# process of its own: `mv`, `chmod`, `ls`, `sleep` and the like. Where the host has perl, one process of it does them all:
# it has read this script and started the shell with a pipe to it and one back (command-line.ts), and then does what it is
# asked. Where there is none the steps are done by the usual programs, and nothing else is different.
#
# A request is a count and that many words, each with a NUL behind it; the reply is a line, `0` and what was asked for, or
# `1` and what went wrong. `take` reads what the laptop sends straight from stdin, `files` answers straight to stdout.

toolbox='
my $their_umask = umask 077;
$SIG{HUP} = $SIG{PIPE} = $SIG{CHLD} = "IGNORE";

# The numbers of fsync, statfs and setsid, which perl itself lacks, for the machines that this program may be made for: it
# says so in its head.
my %calls = (62 => [74, 137, 112], 183 => [82, 43, 157]);
my $head = "\0" x 20;
if (open my $program, "<", "/proc/self/exe") { read $program, $head, 20 }
my ($bits, $machine) = unpack "x4 C x13 v", $head;
my ($fsync, $statfs, $setsid) = @{$bits == 2 && $calls{$machine} || []};

my %tools = (
  mv => sub { done(rename($_[0], $_[1]), $_[1]) },
  ln => sub { done(link($_[0], $_[1]), $_[1]) },
  # A file under a second name, if it has but one. Where it has that already, it has two.
  keep => sub {
    my ($path, $name) = @_;
    my @there = lstat $path;
    my @kept = lstat $name or return @there && $there[3] == 1 && link($path, $name) ? 0 : 2;
    "@there[0, 1]" eq "@kept[0, 1]" ? 0 : 2;
  },
  chmod => sub { done(chmod(oct $_[0], $_[1]), $_[1]) },
  nap => sub { select undef, undef, undef, $_[0]; 0 },
  mkdir => sub { done(mkdir($_[0]), $_[0]) },
  folders => sub {
    for my $folder (@_) {
      my @parts = split m{(?<=.)/+}, $folder;
      for my $last (0 .. $#parts) {
        my $path = join "/", @parts[0 .. $last];
        -d $path or mkdir $path or -d $path or return done(0, $path);
      }
    }
    0;
  },
  rm => sub { for (@_) { unlink or $! == 2 or return done(0, $_) } 0 },
  flush => sub {
    $fsync or return 2;
    for (@_) {
      open my $file, "<", $_ or return done(0, $_);
      syscall($fsync, fileno $file) == 0 or return done(0, $_);
    }
    0;
  },
  # How many KiB are free for us.
  free => sub {
    my $found = "\0" x 160;
    $statfs and syscall($statfs, $_[0], $found) == 0 or return 2;
    my (undef, $block, undef, undef, $blocks) = unpack "q5", $found;
    sprintf "0 %d", $blocks * $block / 1024;
  },
  # A process of its own session that does as the `watch` of the other half does.
  watch => sub {
    my ($pending) = @_;
    $setsid and defined(my $watcher = fork) or return 2;
    return "0 $watcher" if $watcher;
    syscall $setsid;
    $0 = "sync-creds: watches $pending";
    close $_ for $asked, $reply;
    open STDIN, "<", "/dev/null";
    open $_, ">", "/dev/null" for \*STDOUT, \*STDERR;
    umask $their_umask;
    $SIG{CHLD} = $SIG{PIPE} = "DEFAULT";
    my ($heard, $left) = ("", 60);
    for (; -e "$pending/armed"; $left--, sleep 1) {
      my $line = "";
      if (open my $alive, "<", "$pending/alive") { $line = <$alive> // "" }
      ($heard, $left) = ($1, $2) if $line =~ /^(\d+) (\d+)\n/ && $1 ne $heard;
      exec "/bin/sh", "$pending/script", "dead-man" if $left <= 0;
    }
    exit;
  },
  start => sub { "0 " . began($_[0]) },
  # What comes behind a request: into a file that is there. All of it is read, also where the file takes none.
  take => sub {
    my ($size, $path) = @_;
    open my $file, "+<", $path;
    my $failed = $file ? "" : "$!";
    while ($size > 0) {
      my $got = sysread STDIN, my $data, $size < 65536 ? $size : 65536;
      $got or return "1 the connection ended";
      $size -= $got;
      put($file, $data) or $failed ||= "$!" if $file;
    }
    $failed ? "1 $path: $failed" : 0;
  },
  # The uid and the number of the socket that listens on a port.
  listener => sub {
    my $listens = sprintf ":%04X [0-9A-F]+:[0-9A-F]+ 0A ", $_[0];
    for my $table ("/proc/net/tcp", "/proc/net/tcp6") {
      open my $lines, "<", $table or next;
      while (<$lines>) { return "0 " . join " ", (split)[7, 9] if /$listens/ }
    }
    0;
  },
  # Whether a process gets a socket before some seconds are over: told as soon as it has one, or has ended. What another account
  # runs hides it.
  socket => sub {
    my ($pid, $since, $left) = @_;
    for (; $left > 0 && began($pid) eq $since; $left -= .005) {
      opendir my $list, "/proc/$pid/fd" or return 2;
      -S "/proc/$pid/fd/$_" and return "0 yes" for readdir $list;
      select undef, undef, undef, .005;
    }
    "0 no";
  },
  holds => sub { holds(@_) ? "0 yes" : "0 no" },
  # Of the processes that hold a socket the one that started first.
  holder => sub {
    my ($socket) = @_;
    my ($first, $since) = ("", "");
    opendir my $processes, "/proc" or return 2;
    for my $pid (sort { $a <=> $b } grep { /^\d+$/ } readdir $processes) {
      holds($pid, $socket) or next;
      my $began = began($pid);
      ($first, $since) = ($pid, $began) if $began ne "" && ($since eq "" || $began < $since);
    }
    "0 $first";
  },
  # Whether all these files can be read and none has one of the words.
  lacks => sub {
    my ($words, @paths) = @_;
    for (@paths) {
      open my $file, "<", $_ or return "0 no";
      local $/;
      return "0 no" if (<$file> // return "0 no") =~ /$words/;
    }
    "0 yes";
  },
  clock => sub { "0 " . time },
  # The variables of a process as a script that sets them again.
  environment => sub {
    my ($pid, $path) = @_;
    local $/ = "\0";
    open my $script, ">", $path or return done(0, $path);
    open my $variables, "<", "/proc/$pid/environ" or return 0;
    while (<$variables>) {
      chomp;
      my ($name, $value) = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s or next;
      next if $name =~ /^(UID|EUID|PPID|PWD|OLDPWD|BASHOPTS|SHELLOPTS|BASH_VERSINFO)$/;
      $value =~ s/\x27/\x27\\\x27\x27/g;
      print $script "export $name=\x27$value\x27\n";
    }
    done(close $script, $path);
  },
  # What `ls -ldn` would say of each path, and of those after the first $count what they are and their bytes. The second name
  # that a change gives a file while it is under way (see `keep`) is not counted.
  files => sub {
    my ($told, $nonce, $verb, $folder, $count, @paths) = @_;
    $told .= "$nonce list=\n";
    my %kept;
    for (map "$folder/pending/$_/backup", 1 .. 20) { my @kept = lstat or last; $kept{"@kept[0, 1]"} = 1 }
    for (@paths) {
      my ($disk, $inode, $mode, $links, $uid, $gid, undef, $size) = lstat or next;
      $links -= $kept{"$disk $inode"} // 0;
      $told .= join(" ", letters($mode), $links, $uid, $gid, $size, "- - -", $_) . "\n";
    }
    for (@paths[$count .. $#paths]) {
      lstat or next;
      my $kind = -l _ ? "link" : -f _ ? "file" : -d _ ? "directory" : "other";
      $told .= "$nonce look=$kind $_\n";
      -f $_ and open my $file, "<", $_ or next;
      read $file, my $bytes, 262145;
      $told .= "$nonce bytes=\n" . unpack("H*", $bytes) . "\n";
    }
    done(put(\*STDOUT, "$told$nonce end=$verb\n"), "stdout");
  },
);
sub done { my ($fine, $what) = @_; $fine ? 0 : "1 $what: $!" }
# When a process started; nothing for one that has ended.
sub began {
  open my $stat, "<", "/proc/$_[0]/stat" or return "";
  my ($state, $began) = ((<$stat> // "") =~ /.*\) (.*)/s ? split " ", $1 : ())[0, 19];
  ($state // "Z") eq "Z" ? "" : $began;
}
sub holds {
  my ($pid, $socket) = @_;
  my $folder = "/proc/$pid/fd";
  opendir my $list, $folder or return 0;
  for (readdir $list) { return 1 if (readlink "$folder/$_" // "") eq "socket:[$socket]" }
  0;
}
sub put {
  my ($to, $data) = @_;
  while (length $data) { substr($data, 0, syswrite($to, $data) // return 0) = "" }
  1;
}
sub letters {
  my ($mode) = @_;
  my $text = substr "?pc?d?b?-?l?s???", $mode >> 12 & 15, 1;
  for my $shift (6, 3, 0) {
    my $special = $mode & (04000, 02000, 01000)[2 - $shift / 3];
    my @last = $special ? $shift ? ("S", "s") : ("T", "t") : ("-", "x");
    $text .= ($mode >> $shift & 4 ? "r" : "-") . ($mode >> $shift & 2 ? "w" : "-") . $last[$mode >> $shift & 1];
  }
  $text;
}

my ($text, @words) = ("");
while (sysread $asked, $text, 65536, length $text) {
  while ($text =~ s/^([^\0]*)\0//) {
    push @words, $1;
    next if @words < 2 || @words <= $words[0];
    my (undef, $name, @arguments) = splice @words;
    $! = 0;
    my $answer = $tools{$name}->(@arguments);
    $answer =~ tr/\n/ /;
    syswrite $reply, "$answer\n";
  }
}
'

# Has a thing done by the toolbox; sets reply. Fails where it fails, and with the reply 2 where there is no such tool: then it
# is for the caller to do it otherwise.
tool() { reply=2 && return 1; }
use_toolbox() {
  tool() {
    printf '%s\000' "$#" "$@" >&4 && IFS= read -r reply <&5 || return 1
    case $reply in
      0*) reply=${reply#0} && reply=${reply# } ;;
      2) return 1 ;;
      *) reply=${reply#1 } && printf '%s\n' "$1: $reply" >&2 && return 1 ;;
    esac
  }
  # As the programs of these names do, in the ways in which we use them.
  mv() { case $1 in -f) tool mv "$2" "$3" ;; *) tool mv "$1" "$2" ;; esac; }
  ln() { tool ln "$1" "$2"; }
  chmod() { tool chmod "$1" "$2"; }
  rm() { case $1 in -f) shift && tool rm "$@" ;; *) command rm "$@" ;; esac; }
  mkdir() { case $1${2-} in -p-*) command mkdir "$@" ;; -p*) shift && tool folders "$@" ;; *) tool mkdir "$1" ;; esac; }
}

# How `dd` takes a block at once, where it can: where perl has read the script, nobody has found out.
learn_dd() { whole=iflag=fullblock && { dd count=0 "$whole" </dev/null >/dev/null 2>&1 || whole=; }; }
# What perl has brought along is no environment of anybody else. It says `no` where it could not open the toolbox.
with_toolbox=${sync_creds_tools-no}
if [ -n "${sync_creds_tools-}" ]; then
  whole=unknown had=$sync_creds
  unset sync_creds sync_creds_tools
  sync_creds=$had had=
  [ "$with_toolbox" = yes ] || learn_dd
fi
