#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# The snapshot directory: made at a real start alone, and used as soon as it
# can be; a key only where nobody else can put one; one for several zones and
# servers.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Digest::SHA qw(hmac_sha256_hex);
use POSIX ();
use Test::More;
use Time::HiRes ();
use UxTest;


my @NOBODY = $> == 0 ? getpwnam 'nobody' : ();
my $GROUP = @NOBODY ? getgrgid $NOBODY[3] : '';

usable_later();
of_another_user();
keys_of_others();
where_root_alone_may_go();
another_file_system();
zones_that_share();
zones_take_their_time();
servers_that_share();

done_testing();


# Zones by name, `interval` of some; %option as of Ux::nginx, `http` adds
# lines.
sub shop
{
    my (%option) = @_;

    my $path = delete $option{path} || '%%DIR%%/state';
    my @zones = @{ delete $option{zones} || [ 'shop' ] };
    my $interval = delete $option{interval} || {};
    my $http = delete $option{http} || '';
    my $conf = join '', map { my $times = $interval->{$_}
        || 'interval=100ms journeys=300ms'; <<"CONF" } @zones;
ux_zone $_ 2m snapshot=$path $times;
ux_experiment layout_$_ zone=$_ { variant control 1; variant one 1;
    window off; }
CONF
    my $locations = join '', map { <<"CONF" } @zones;
    location /$_ {
        ux_expose layout_$_ requests=any;
        ux_event view_item zone=$_;
        return 204;
    }
CONF

    return Ux::nginx(workers => 2, %option, conf => <<"CONF");
$conf$http
server {
    listen 127.0.0.1:%%PORT%%;
    ux_visitor_key \$http_x_user;
$locations
    location /uxstats { ux_stats; }
}
CONF
}


sub visit
{
    my ($t, $from, $to, $zone) = @_;

    my $path = '/' . ($zone || 'shop');
    my @bad = grep {
        my $answer = $t->get($path, 'X-User' => "u$_");
        !$answer || $answer->status != 204;
    } $from .. $to;

    return !@bad;
}


sub views
{
    my ($t, $zone) = @_;

    return $t->stats('/zones/' . ($zone || 'shop') . '/events')->{view_item};
}


sub snapshot
{
    my ($t, $zone) = @_;

    return $t->stats('/zones/' . ($zone || 'shop') . '/snapshot');
}


# All that was counted until now is in files.
sub saved
{
    my ($t, $zone) = @_;

    my $now = Time::HiRes::time();

    return Ux::wait_until(sub {
        my $age = snapshot($t, $zone)->{age_seconds};
        return defined $age && $age < Time::HiRes::time() - $now - 0.02;
    });
}


sub logged
{
    my ($t) = @_;

    return Ux::_read($t->dir . '/stderr.log') . $t->error_log;
}


sub errors { my $n = () = $_[0]->error_log =~ /\[error\]/g; return $n }


sub children
{
    my ($t, $pattern) = @_;

    return grep { Ux::_read("/proc/$_/cmdline") =~ $pattern } $t->_children;
}


# Nothing but errors at first; from the moment it can be used all is saved.
sub usable_later
{
    my %spoil = (
        'a file in its place' => [ sub { Ux::_write($_[0], "text\n") },
            sub { unlink $_[0]; mkdir $_[0], 0700 } ],
        'no directory above' => [ sub { }, sub {
            mkdir $_[0] =~ s{/state$}{}r, 0755; mkdir $_[0], 0700 },
            'above/state' ],
        'a link to nowhere' => [ sub { symlink "$_[0].real", $_[0] },
            sub { mkdir "$_[0].real", 0700 } ],
    );
    $spoil{'not writable'} = [ sub { mkdir $_[0], 0500 },
        sub { chown @NOBODY[2, 3], $_[0]; chmod 0700, $_[0] } ] if @NOBODY;

    for my $what (sort keys %spoil) {
        my ($before, $after, $path) = @{ $spoil{$what} };
        $path ||= 'state';
        my $t = shop(path => "%%DIR%%/$path",
            globals => @NOBODY ? "user nobody $GROUP;\n" : '');
        my $dir = $t->dir . "/$path";
        chmod 0755, $t->dir;
        $before->($dir);

        my ($passed, $text) = $t->test_config($t->{conf});
        ok($passed, "$what: nginx -t passes");
        like($text, qr/\[warn\].*"shop"/, "$what: with a warning");
        unlike($text, qr/\[error\]/, "$what: that is no error");

        $t->start;
        ok(visit($t, 1, 20), "$what: served");
        ok(Ux::wait_until(sub { snapshot($t)->{errors} >= 3 }),
            "$what: errors are counted");
        cmp_ok(errors($t), '<=', 2, "$what: and said once")
            or diag(grep { /error/ } split /^/m, $t->error_log);
        is(snapshot($t)->{saved_at}, undef, "$what: nothing is saved");

        # a reload changes nothing of that

        ok($t->reload, "$what: a reload");
        $after->($dir);
        chown @NOBODY[2, 3], "$dir/.", if @NOBODY;
        ok(saved($t), "$what: usable: saved, without a reload");
        ok(-s "$dir/secret", "$what: usable: the key is kept, too");

        # the lock is that of the process that saves, and then of all

        ok($t->reload, "$what: usable: a reload");
        visit($t, 21, 30);
        saved($t);
        $t->kill_tree;
        $t->start;
        is(views($t), 30, "$what: usable: every number is there");
        visit($t, 31, 40);
        $t->stop;
        $t->start;
        is(views($t), 40, "$what: usable: and after a stop");
        is(scalar(() = glob "$dir/shop.*.lock"), 1,
            "$what: usable: one lock is left");
        $t->no_alerts("$what: no alerts");
    }

    # only the master is left to notice

    my $t = shop();
    my $dir = $t->dir . '/state';
    Ux::_write($dir, "text\n");
    $t->start;
    visit($t, 1, 10);
    my @managers = children($t, qr/cache manager/);
    Ux::halt(@managers);
    unlink $dir;
    mkdir $dir, 0700;
    kill 'QUIT', $t->pid;
    kill 'KILL', @managers;
    $t->stop;
    $t->start;
    is(views($t), 10, 'usable before the end: saved at the end');
    $t->no_alerts('usable at the end: no alerts', qr/exited on signal 9/);

    return;
}


# One that was there is left as it is, whoever has it.
sub of_another_user
{
    SKIP: {
        skip 'needs root and nobody', 1 unless @NOBODY;

        for my $case ([ 'of another user', 4711, 0777 ],
            [ 'open to everybody', $NOBODY[2], 0777 ],
            [ 'open to a group', 0, 0770, 4712 ])
        {
            my ($what, $owner, $mode, $gid) = @$case;
            my $t = shop(globals => "user nobody $GROUP;\n");
            my $dir = $t->dir . '/state';
            chmod 0755, $t->dir;
            mkdir $dir;
            chown $owner, $gid || 0, $dir;
            chmod $mode, $dir;
            Ux::_write("$dir/secret", 'x' x 64 . "\n");
            chown @NOBODY[2, 3], "$dir/secret";
            my @before = (stat $dir)[2, 4, 5];

            my ($passed, $text) = $t->test_config($t->{conf});
            ok($passed, "$what: nginx -t passes");
            like($text, qr/\[warn\].*directory .* no key that signs/,
                "$what: with a warning");

            $t->start;
            like(logged($t), qr/\[error\].*directory .* no key that signs/,
                "$what: an error line");
            is_deeply([ (stat $dir)[2, 4, 5] ], \@before,
                "$what: owner and mode stay");

            visit($t, 1, 5);
            ok(saved($t), "$what: it is saved there")
                if $mode & 0002;
            $t->stop;
            is(Ux::_read("$dir/secret"), 'x' x 64 . "\n",
                "$what: the key that is there stays");
            $t->no_alerts("$what: no alerts");
        }

        my $t = shop(globals => "user nobody $GROUP;\n");
        my $dir = $t->dir . '/state';
        chmod 0755, $t->dir;
        mkdir $dir;
        chown 4711, 4711, $dir;
        chmod 0777, $dir;
        $t->start;
        ok(!-e "$dir/secret", 'no key is written where another can read it');
        $t->no_alerts('of another user: no alerts');
    }

    return;
}


sub keys_of_others
{
    my %make = (
        'everybody may write' => sub { chmod 0666, $_[0] },
        'with another name' => sub { link $_[0], "$_[0].2" },
    );
    $make{'of another user'} = sub { chown 4711, 4711, $_[0] } if @NOBODY;

    for my $what (sort keys %make) {
        my $t = shop();
        my $dir = $t->dir . '/state';
        mkdir $dir, 0700;
        Ux::_write("$dir/secret", 'x' x 64 . "\n");
        $make{$what}->("$dir/secret");

        my ($passed, $text) = $t->test_config($t->{conf});
        ok($passed, "a key $what: nginx -t passes");
        like($text, qr/\[warn\].*secret" /, "a key $what: with a warning");
        $t->start;
        like(logged($t), qr/\[error\].*secret" /, "a key $what: an error");

        ok(visit($t, 1, 5), "a key $what: served");
        is(Ux::_read("$dir/secret"), 'x' x 64 . "\n",
            "a key $what: left alone");
        $t->no_alerts("a key $what: no alerts");
    }

    return;
}


# The workers could have put a link in the directory's place: what they cannot
# read is not read for them.
sub where_root_alone_may_go
{
    SKIP: {
        skip 'needs root and nobody', 1 unless @NOBODY;

        for my $case ([ 'a key of root', 0755, 0600 ],
            [ 'a directory of root', 0700, 0644 ])
        {
            my ($what, $mode, $key_mode) = @$case;
            my $t = shop(globals => "user nobody $GROUP;\n");
            my $real = $t->dir . '/real';
            chmod 0755, $t->dir;
            mkdir $real;
            Ux::_write("$real/secret", 'x' x 64 . "\n");
            chmod $key_mode, "$real/secret";
            chmod $mode, $real;
            symlink $real, $t->dir . '/state';

            my ($passed, $text) = $t->test_config($t->{conf});
            ok($passed, "$what: nginx -t passes");
            like($text, qr/\[warn\].*Permission denied/,
                "$what: with a warning");
            $t->start;
            like(logged($t), qr/\[error\].*Permission denied/,
                "$what: an error");
            ok(visit($t, 1, 1), "$what: served");

            my $cookie = $t->get('/shop', Accept => 'text/html')
                ->set_cookie('ux') || '';
            my ($said, $mac) = $cookie =~ /^(.*)\.(.*)$/;
            ok($mac, "$what: a cookie is given");
            isnt($mac, substr(hmac_sha256_hex($said, 'x' x 64), 0, 32),
                "$what: which that key has not signed");
            $t->no_alerts("$what: no alerts");
        }
    }

    return;
}


# A link to a directory on another file system is as good as one.
sub another_file_system
{
    SKIP: {
        my $t = shop();
        my $dir = $t->dir . '/other';
        mkdir $dir, 0700;
        skip 'no other file system', 1
            if $> != 0
            || system("mount -t tmpfs -o size=4m,mode=0700 none $dir"
            . ' 2>/dev/null') != 0;

        symlink $dir, $t->dir . '/state';
        $t->start;
        visit($t, 1, 20);
        ok(saved($t), 'another file system: saved');
        $t->kill_tree;
        $t->start;
        is(views($t), 20, 'another file system: restored');
        $t->no_alerts('another file system: no alerts');
        system "umount $dir";
    }

    return;
}


# Names that begin alike.
sub zones_that_share
{
    my @zones = qw(shop shop2 shop_a sho);
    my $t = shop(zones => \@zones)->start;
    my $n = 0;

    visit($t, 1, 10 * ++$n, $_) for @zones;
    saved($t, $_) for @zones;
    $t->kill_tree;
    $t->start;
    $n = 0;
    is(views($t, $_), 10 * ++$n, "shared by zones: $_ has its own")
        for @zones;
    $t->stop;
    is(scalar(() = glob $t->dir . '/state/*.lock'), scalar @zones,
        'shared by zones: each has one lock');

    # another order, and one less, that comes back

    my ($four) = $t->{conf};
    (my $three = $four) =~ s/^ux_zone shop2 .*?\n\}?.*?off; \}\n//ms;
    $three =~ s/    location \/shop2 \{.*?\}\n//s;
    ok($t->start->reload(conf => $three), 'shared by zones: one less');
    is(views($t, 'shop'), 10, 'shared by zones: the others stay');
    $t->stop;
    ok($t->start->reload(conf => $four), 'shared by zones: back again');
    is(views($t, 'shop2'), 20, 'shared by zones: with its numbers');
    $t->no_alerts('shared by zones: no alerts');

    return;
}


# The same process saves all zones: one is not saved because another one is,
# and does not say so.
sub zones_take_their_time
{
    my $t = shop(zones => [ 'shop', 'slow' ], interval => {
        slow => 'interval=60s journeys=600s' })->start;

    ok(Ux::wait_until(sub { defined snapshot($t, 'slow')->{age_seconds} }),
        'several zones: both are, to begin with');
    my $began = Time::HiRes::time();

    visit($t, 1, 10, $_) for qw(slow shop);

    for my $more (11 .. 13) {
        visit($t, $more, $more);
        ok(saved($t), 'several zones: one is saved');
    }

    my $since = Time::HiRes::time() - $began;
    cmp_ok(snapshot($t, 'slow')->{age_seconds}, '>', $since - 0.01,
        'several zones: the other one is not due');
    $t->kill_tree;
    $t->start;
    is(views($t), 13, 'several zones: what was saved is there');
    is(views($t, 'slow'), 0, 'several zones: what was not said is not');

    return;
}


sub servers_that_share
{
    my $one = shop()->start;
    my $dir = $one->dir . '/state';
    visit($one, 1, 10);
    saved($one);

    my $two = shop(path => $dir)->start;
    visit($two, 11, 15);
    ok(saved($two), 'two servers: the second saves');
    my @said = $two->error_log =~ /\[notice\].*(in use by 1 more that run)/g;
    is(scalar @said, 1, 'two servers: the second says it once');
    ok($two->reload, 'two servers: a reload');
    @said = $two->error_log =~ /\[notice\].*(in use by)/g;
    is(scalar @said, 1, 'two servers: says it no more');
    is(views($two), 5, 'two servers: nothing is counted twice');
    is(scalar(() = glob "$dir/shop.*.lock"), 2,
        'two servers: files of both');

    $one->stop;
    ok(Ux::wait_until(sub { views($two) == 15 }),
        'two servers: and what one has is the other\'s in the end');
    $two->no_alerts('two servers: no alerts');

    return;
}
