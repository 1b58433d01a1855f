#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# Snapshots that go wrong: directories that are missing, not ours, read-only,
# full or swapped; files that are damaged, foreign or traps; left-overs;
# clocks that jump.  Requests are served, what can be saved is, and nothing is
# read, written or removed that is not ours.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use POSIX ();
use Test::More;
use Time::HiRes ();
use UxClock;
use UxTest;


my @NOBODY = $> == 0 ? getpwnam 'nobody' : ();

directories_that_are_none();
a_directory_that_goes_and_comes();
a_full_disk();
damaged_files();
damaged_after_a_takeover();
traps();
a_swapped_directory();
leftovers();
other_users();
clocks();

done_testing();


sub shop
{
    my ($parameters, %option) = @_;

    $parameters ||= 'snapshot=%%DIR%%/state interval=100ms journeys=300ms';

    return Ux::nginx(workers => 2, %option, conf => <<"CONF");
ux_zone shop 2m $parameters;
ux_experiment layout { variant control 50; variant one 50; window off; }
server {
    listen 127.0.0.1:%%PORT%%;
    ux_visitor_key \$http_x_user;
    ux_expose all requests=any;
    location / { ux_event view_item; return 204; }
    location /uxstats { ux_stats; }
}
CONF
}


sub visit
{
    my ($t, $from, $to) = @_;

    my @bad = grep {
        my $answer = $t->get('/', 'X-User' => "u$_");
        !$answer || $answer->status != 204;
    } $from .. $to;

    return !@bad;
}


sub views { return $_[0]->stats('/zones/shop/events')->{view_item} }


sub snapshot { return $_[0]->stats('/zones/shop/snapshot') }


# All that was counted until now is in files.
sub saved
{
    my ($t) = @_;

    my $now = Time::HiRes::time();

    return Ux::wait_until(sub {
        my $age = snapshot($t)->{age_seconds};
        return defined $age && $age < Time::HiRes::time() - $now - 0.02;
    });
}


sub errors { my $n = () = $_[0]->error_log =~ /\[error\]/g; return $n }


# No start is refused; "nginx -t" passes, too, and makes nothing.
sub directories_that_are_none
{
    my %make = (
        'a file' => sub { Ux::_write($_[0], "text\n") },
        'a pipe' => sub { POSIX::mkfifo($_[0], 0600) },
        'a link to nowhere' => sub { symlink '/no/such/place', $_[0] },
        'in no directory' => undef,
        'a device' => undef,
    );
    my %path = ('in no directory' => '/no/such/state',
        'a device' => '/dev/full');

    for my $what (sort keys %make) {
        my $path = $path{$what} || '%%DIR%%/state';
        my $t = shop("snapshot=$path interval=100ms journeys=300ms");
        $make{$what}->($t->dir . '/state') if $make{$what};

        my ($passed) = $t->test_config($t->{conf});
        ok($passed, "$what: nginx -t passes");
        $t->start;
        ok(visit($t, 1, 20), "$what: requests are served");
        is(views($t), 20, "$what: and counted");
        like($t->error_log . Ux::_read($t->dir . '/stderr.log'),
            qr/\[error\].*"shop"/, "$what: an error line");

        my $snapshot = snapshot($t);
        cmp_ok($snapshot->{errors}, '>=', 1, "$what: an error is counted");
        is($snapshot->{saved_at}, undef, "$what: nothing is saved");
        ok(Ux::wait_until(sub { problem($t) }),
            "$what: and that is a problem of the results");
        ok($t->reload, "$what: a reload");
        is(views($t), 20, "$what: keeps the numbers");
        $t->no_alerts("$what: no alerts");
    }

    return;
}


sub problem
{
    my ($t) = @_;

    return grep { $_->{code} eq 'snapshot' }
        @{ $t->stats('/zones/shop/experiments/layout')->{problems} };
}


# While it is away there is one error line; then all is written anew.
sub a_directory_that_goes_and_comes
{
    my $t = shop()->start;
    my $dir = $t->dir . '/state';

    visit($t, 1, 10);
    saved($t);
    ok(!problem($t), 'away: no problem before');

    rename $dir, "$dir.away";
    visit($t, 11, 20);
    ok(Ux::wait_until(sub { snapshot($t)->{errors} >= 3 }),
        'away: errors are counted');
    ok(Ux::wait_until(sub { problem($t) }), 'away: it is a problem');
    is(errors($t), 1, 'away: and one line in the log');
    is(views($t), 20, 'away: requests are counted');

    rename "$dir.away", $dir;
    ok(saved($t),
        'back: saved again');
    ok(!problem($t), 'back: no problem any more');
    visit($t, 21, 30);
    $t->stop;
    $t->start;
    is(views($t), 30, 'back: every number is there');
    $t->no_alerts('away: no alerts');

    return;
}


sub a_full_disk
{
    SKIP: {
        my $t = shop();
        my $dir = $t->dir . '/state';
        mkdir $dir, 0700;
        skip 'no file system to be filled', 1
            if $> != 0 || system("mount -t tmpfs -o size=256k,mode=0700 none"
            . " $dir 2>/dev/null") != 0;

        $t->start;
        visit($t, 1, 20);
        ok(saved($t), 'a small disk: saved');

        open my $out, '>', "$dir/filler";
        print $out 'x' x 1_000_000;
        close $out;
        visit($t, 21, 40);
        ok(Ux::wait_until(sub { snapshot($t)->{errors} >= 3 }),
            'full disk: errors are counted');
        is(views($t), 40, 'full disk: requests are served and counted');
        ok(!(grep { /\.new$/ } glob "$dir/*"),
            'full disk: nothing is left half-way');
        is(errors($t), 1, 'full disk: one line in the log');

        # the old one is whole

        $t->kill_tree;
        unlink "$dir/filler";
        $t->start;
        cmp_ok(views($t), '>=', 20, 'full disk: what was saved is there');

        my $before = views($t);
        visit($t, 41, 60);
        ok(saved($t),
            'full disk: with room it goes on alone');
        $t->stop;
        $t->start;
        is(views($t), $before + 20, 'full disk: and nothing more is lost');
        $t->no_alerts('full disk: no alerts');
        system "umount $dir";
    }

    return;
}


# Files of the last incarnation, by what their names end with.
sub last_files
{
    my ($t, $end) = @_;

    return grep { /\Q$end\E$/ } glob $t->dir . '/state/shop.*';
}


sub damage
{
    my ($path, $how) = @_;

    my $text = Ux::_read($path);

    $text = substr $text, 0, length($text) / 2 if $how eq 'cut';
    substr($text, length($text) * 2 / 3, 1) ^= "\x10" if $how eq 'flipped';
    $text = '' if $how eq 'empty';
    $text = "\0" x length $text if $how eq 'zeroed';
    $text = 'x' x 1000 if $how eq 'another file';

    Ux::_write($path, $text);

    return;
}


sub damaged_files
{
    for my $how ('cut', 'flipped') {
        my $t = shop()->start;
        visit($t, 1, 30);
        saved($t);
        $t->stop;
        $t->start;
        visit($t, 1, 10);
        $t->stop;

        damage($_, $how) for last_files($t, '.visitors');
        $t->start;
        is(views($t), 40, "visitors $how: the one before, and counters");
        is($t->stats('/zones/shop/visitors/tracked'), 30,
            "visitors $how: visitors are known");
        like($t->error_log, qr/\[error\].*"visitors", is damaged: /,
            "visitors $how: and said so");
        is(scalar last_files($t, '.corrupt.1'), 1,
            "visitors $how: the damaged one is set aside");
        $t->stop;

        damage($_, $how) for last_files($t, '.counters'),
            last_files($t, '.visitors'), last_files($t, '.visitors.1');
        $t->start;
        cmp_ok(views($t), '>=', 30, "most files $how: what is left");
        $t->stop;

        damage($_, $how) for grep { /visitors|counters/ } last_files($t, '');
        $t->start;
        is(views($t), 0, "all files $how: an empty start");
        ok(visit($t, 1, 5), "all files $how: that serves");
        is(scalar(grep { /corrupt/ } last_files($t, '')), 3,
            "all files $how: three are kept");
        $t->no_alerts("files $how: no alerts");
    }

    # what is no image, or of another version, is not ours to throw away

    for my $how ('zeroed', 'another file') {
        my $t = shop()->start;
        visit($t, 1, 30);
        $t->stop;
        my @files = grep { /visitors|counters/ } last_files($t, '');
        damage($_, $how) for @files;

        $t->start;
        is(views($t), 0, "$how: an empty start");
        ok(visit($t, 1, 5), "$how: that serves");
        Time::HiRes::sleep(0.2) for 1 .. 8;
        is(scalar(grep { -e } @files), scalar @files,
            "$how: files that are not ours are left alone");
        cmp_ok(errors($t), '<=', 4, "$how: said, but not for ever");
        $t->no_alerts("$how: no alerts");
    }

    return;
}


# The files of a start that was taken over are gone: each of the two newest of
# the one that did it has what they had.
sub damaged_after_a_takeover
{
    my $t = shop()->start;
    visit($t, 1, 30);
    saved($t);
    $t->stop;
    my @old = last_files($t, '.visitors');

    $t->start;
    ok(Ux::wait_until(sub { !grep { -e } @old }),
        'a takeover: the files before are gone');
    $t->kill_tree;

    damage($_, 'flipped') for last_files($t, '.visitors');
    $t->start;
    is($t->stats('/zones/shop/visitors/tracked'), 30,
        'a takeover, then a bad disk: visitors are known');
    is(views($t), 30, 'a takeover, then a bad disk: and what they did');
    $t->no_alerts('a takeover, then a bad disk: no alerts');

    return;
}


# Names of ours that are something else: read never, and never waited for.
sub traps
{
    my $hex = '0123456789abcdef' x 2;
    my %make = (
        'a pipe' => sub { POSIX::mkfifo($_[0], 0600) },
        'a link' => sub { symlink '/etc/passwd', $_[0] },
        'a directory' => sub { mkdir $_[0] },
        'huge and sparse' => sub { Ux::_write($_[0], '');
            truncate $_[0], 20 * 2 ** 30 },
    );

    for my $what (sort keys %make) {
        my $t = shop()->start;
        visit($t, 1, 30);
        $t->stop;
        my $dir = $t->dir . '/state';
        $make{$what}->("$dir/shop.$hex.$_") for qw(visitors counters lock);

        my $began = Time::HiRes::time();
        $t->start;
        cmp_ok(Time::HiRes::time() - $began, '<', 5, "$what: starts");
        is(views($t), 30, "$what: with its own numbers");
        Time::HiRes::sleep(0.2) for 1 .. 8;
        ok(-e "$dir/shop.$hex.visitors" || -l "$dir/shop.$hex.visitors",
            "$what: is left alone");
        cmp_ok(errors($t), '<=', 6, "$what: said, but not for ever");
        ok(visit($t, 31, 40), "$what: serves");
        $t->no_alerts("$what: no alerts");
    }

    return;
}


# The directory becomes a link to one that only root may write to.
sub a_swapped_directory
{
    SKIP: {
        skip 'needs root and nobody', 1 unless @NOBODY;

        my $group = getgrgid $NOBODY[3];
        my $t = shop(undef, globals => "user nobody $group;\n");
        my $dir = $t->dir . '/state';
        my $roots = $t->dir . '/roots';
        chmod 0755, $t->dir;
        mkdir $roots, 0700;
        $t->start;
        visit($t, 1, 10);
        saved($t);

        my ($lock) = last_files($t, '.lock');
        my ($name) = $lock =~ m{/(shop\.[0-9a-f]+)\.lock$};
        Ux::_write("$roots/$name.counters", 'not to be touched');
        Ux::_write("$roots/$name.visitors.new", 'not to be touched');
        rename $dir, "$dir.was";
        symlink $roots, $dir;
        visit($t, 11, 20);
        Ux::wait_until(sub { snapshot($t)->{errors} >= 2 });
        $t->stop;

        is(Ux::_read("$roots/$name.counters"), 'not to be touched',
            'swapped directory: root wrote to nothing');
        is(Ux::_read("$roots/$name.visitors.new"), 'not to be touched',
            'swapped directory: and removed nothing');
        is(scalar(() = glob "$roots/*"), 2, 'swapped directory: nor made any');

        unlink $dir;
        rename "$dir.was", $dir;
        $t->start;
        cmp_ok(views($t), '>=', 10, 'swapped directory: its own are there');
        $t->no_alerts('swapped directory: no alerts');
    }

    return;
}


# What a thousand crashes left.
sub leftovers
{
    my $t = shop()->start;
    visit($t, 1, 30);
    $t->stop;
    my $dir = $t->dir . '/state';

    for my $n (1 .. 1000) {
        my $hex = sprintf '%032x', $n;
        Ux::_write("$dir/shop.$hex.counters.new", 'half');
        Ux::_write("$dir/shop.$hex.lock", '');
    }
    Ux::_write("$dir/other.$_", 'of another') for 'x', 'counters', '0' x 32;

    $t->start;
    is(views($t), 30, 'left-overs: what was counted is there');
    ok(Ux::wait_until(sub { (() = glob "$dir/shop.*") <= 5 }),
        'left-overs: cleaned up') or diag(scalar(() = glob "$dir/shop.*"));
    is(scalar(() = glob "$dir/other.*"), 3,
        'left-overs: but nothing that is not ours');
    $t->no_alerts('left-overs: no alerts');

    return;
}


sub other_users
{
    SKIP: {
        skip 'needs root and nobody', 1 unless @NOBODY;

        my $group = getgrgid $NOBODY[3];
        my $t = shop(undef, globals => "user nobody $group;\n");
        my $dir = $t->dir . '/state';
        chmod 0755, $t->dir;
        $t->start;
        visit($t, 1, 10);
        Ux::wait_until(sub { last_files($t, '.visitors.1') });
        $t->stop;

        is(sprintf('%04o', 07777 & (stat $dir)[2]), '0700',
            'users: the directory is the workers\' alone');
        is_deeply([ grep { (stat $_)[4] != $NOBODY[2]
            || (07777 & (stat $_)[2]) != 0600 } glob "$dir/*" ], [],
            'users: and so is every file, whoever wrote it');

        my $hex = 'ab' x 16;
        Ux::_write("$dir/shop.$hex.visitors", 'x' x 2000);
        chown 4711, 4711, "$dir/shop.$hex.visitors";
        $t->start;
        is(views($t), 10, 'users: restored');
        ok(-e "$dir/shop.$hex.visitors",
            'users: a file of somebody else is left alone');
        $t->no_alerts('users: no alerts');
    }

    return;
}


# Written in the future, or long ago.
sub clocks
{
    SKIP: {
        my $clock = eval { UxClock->new };
        skip 'no compiler for a clock', 1 unless $clock;

        my $t = shop()->start;
        visit($t, 1, 30);
        $clock->forward(3600);
        visit($t, 1, 10);
        ok(saved($t),
            'an hour forward: saves go on');
        $t->stop;
        undef $clock;

        $t->start;
        is(views($t), 40, 'written in the future: restored');
        is($t->stats('/zones/shop/visitors/tracked'), 30,
            'written in the future: visitors are known');
        cmp_ok(snapshot($t)->{age_seconds}, '>=', 0,
            'written in the future: no age below 0');
        ok(visit($t, 1, 10), 'written in the future: serves');
        $t->no_alerts('clocks: no alerts');
    }

    return;
}
