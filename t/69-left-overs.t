#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# What happens to the files in the snapshot directory: a thousand of others
# among them, moved away by whoever rotates logs; and there is one process
# that writes them, however many could.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use Time::HiRes ();
use UxTest;


a_thousand_files();
files_moved_away();
helpers_write_nothing();
two_managers();

done_testing();


sub shop
{
    my (%option) = @_;

    my $path = delete $option{path} || '%%DIR%%/state';
    my $http = delete $option{http} || '';

    return Ux::nginx(workers => 2, %option, conf => <<"CONF");
ux_zone shop 2m snapshot=$path interval=100ms journeys=300ms;
ux_experiment layout { variant control 1; variant one 1; window off; }
$http
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


# Nothing is due to be saved any more.
sub quiet
{
    my ($t) = @_;

    return Ux::wait_until(sub {
        my @files = glob $t->dir . '/state/shop.*.{visitors,counters}';
        return @files == 2 && !grep {
            ((Time::HiRes::stat $_)[9] || 9e9) > Time::HiRes::time() - 1
        } @files;
    });
}


sub errors { my $n = () = $_[0]->error_log =~ /\[error\]/g; return $n }


sub children
{
    my ($t, $pattern) = @_;

    return grep { Ux::_read("/proc/$_/cmdline") =~ $pattern } $t->_children;
}


# Before and behind the real one, by age; whole incarnations of junk.
sub a_thousand_files
{
    for my $case ([ 'older', -3600, 0 ], [ 'newer', -3600, -7200 ],
        [ 'of the future', 3600, 0 ])
    {
        my ($what, $seconds, $own) = @$case;
        my $t = shop()->start;
        my $dir = $t->dir . '/state';
        visit($t, 1, 30);
        $t->stop;
        utime time + $own, time + $own, glob "$dir/shop.*";

        my $time = time + $seconds;
        for my $n (1 .. 300) {
            my $path = "$dir/shop." . sprintf '%08x%024x', $n * 0x3ffff, $n;
            Ux::_write("$path.visitors", 'junk' x 500);
            Ux::_write("$path.counters", '');
            Ux::_write("$path.counters.new", 'half');
            Ux::_write("$path.lock", '');
            utime $time, $time, "$path.visitors";
        }
        for my $n (2001 .. 2300) {
            my $path = "$dir/shop." . sprintf '%08x%024x', $n * 0x1ffff, $n;
            Ux::_write("$path.visitors", '');
            Ux::_write("$path.lock", '');
        }

        $t->start;
        is(views($t), 30, "a thousand $what: what was counted is there");
        ok(visit($t, 31, 40), "a thousand $what: served");
        ok(Ux::wait_until(sub { 2 > grep { /\.new$/ || (/s$/ && !-s) }
            glob "$dir/shop.*" }),
            "a thousand $what: what is left half-way is gone")
            or diag(join ' ', (grep { /\.new$/ || (/s$/ && !-s) }
            glob "$dir/shop.*")[0 .. 3]);
        ok(Ux::wait_until(sub { 2 > grep { /lock$/ && !-e s/lock$/visitors/r }
            glob "$dir/shop.*.lock" }),
            "a thousand $what: and locks of nothing");
        cmp_ok(scalar(() = glob "$dir/*.visitors"), '>=', 284,
            "a thousand $what: but nothing that says something");
        cmp_ok(errors($t), '<=', 80, "a thousand $what: not said for each");

        # the list that the server keeps is not filled by them

        my $other = shop(path => $dir)->start;
        visit($other, 41, 50);
        $other->stop;
        ok(Ux::wait_until(sub { views($t) == 50 }),
            "a thousand $what: one that ends now is found")
            or diag(views($t));
        my $said = errors($t);
        saved($t) for 1 .. 3;
        is(errors($t), $said, "a thousand $what: nothing is said again");
        $other->no_alerts("a thousand $what: no alerts");
        $t->no_alerts("a thousand $what: no alerts");
    }

    return;
}


# As logrotate does, with its own names, and then USR1; with and without
# requests.
sub files_moved_away
{
    my %rotate = (
        'renamed' => sub { rename $_, "$_-20300101" for @_ },
        'renamed as ours' => sub { rename $_, "$_.1" for @_ },
        'removed' => sub { unlink @_ },
        'cut to nothing' => sub { truncate $_, 0 for @_ },
    );

    for my $what (sort keys %rotate) {
        my $t = shop()->start;
        my $dir = $t->dir . '/state';
        visit($t, 1, 20);
        saved($t);
        quiet($t);

        my @files = grep { !/\.(?:1|new)$/ } glob "$dir/shop.*";
        my @managers = children($t, qr/cache manager/);
        Ux::halt(@managers);
        $rotate{$what}->(@files);
        kill 'CONT', @managers;
        $t->signal('USR1');
        ok(Ux::wait_until(sub { 3 == grep { -f && (/lock$/ || -s) } @files }),
            "$what: all are there again, without a request")
            or diag(`ls -la $dir`);

        # the lock as well: nobody takes this one for dead

        my $other = shop(path => $dir)->start;
        is(views($other), 0, "$what: another server takes nothing over");
        $other->no_alerts("$what: no alerts");

        visit($t, 21, 30);
        saved($t);
        is(errors($t), 0, "$what: no error");
        $t->kill_tree;
        $t->start;
        is(views($t), 30, "$what: every number is there");
        $t->no_alerts("$what: no alerts");
    }

    return;
}


# Bytes that a process has written, to whatever.
sub written
{
    my ($pid) = @_;

    return (Ux::_read("/proc/$pid/io") =~ /^wchar: (\d+)/m)[0];
}


# A cache loader, and the cache manager with somebody else's cache.
sub helpers_write_nothing
{
    my $t = shop(http => "proxy_cache_path %%DIR%%/cache "
        . "keys_zone=pages:1m;\n")->start;
    my ($loader, $manager);

    ok(Ux::wait_until(sub {
        ($loader) = children($t, qr/cache loader/);
        ($manager) = children($t, qr/cache manager/);
        return $loader && $manager;
    }), 'helpers: a loader, and one manager');
    my $began = written($manager);
    visit($t, $_ * 10 - 9, $_ * 10), saved($t) for 1 .. 3;

    SKIP: {
        skip 'no /proc/*/io', 2 unless defined $began;
        is(written($loader), 0, 'helpers: the loader has written nothing');
        cmp_ok(written($manager), '>', $began, 'helpers: the manager has');
    }

    is(snapshot($t)->{errors}, 0, 'helpers: without an error');
    is(scalar(() = glob $t->dir . '/state/shop.*.lock'), 1,
        'helpers: one incarnation');
    $t->kill_tree;
    $t->start;
    is(views($t), 30, 'helpers: every number is there');
    $t->no_alerts('helpers: no alerts');

    return;
}


# A reload in the middle, the master stopped there: both managers live.
sub two_managers
{
    my $t = shop()->start;
    visit($t, 1, 10);
    saved($t);

    my ($old) = children($t, qr/cache manager/);
    my @both;

    for my $try (1 .. 20) {
        ($old) = children($t, qr/cache manager/);
        $t->signal('HUP');
        Ux::wait_until(sub { 2 == (@both = children($t, qr/cache manager/)) },
            2);
        $t->signal('STOP');
        @both = children($t, qr/cache manager/);
        my ($pending) = Ux::_read("/proc/$old/stat") =~ /\) (\S)/;
        last if @both == 2 && !Ux::wait_until(sub {
            1 == children($t, qr/cache manager/) }, 0.3);
        $t->signal('CONT');
        Ux::wait_until(sub { 1 == children($t, qr/cache manager/) });
    }

    is(scalar @both, 2, 'two managers: both live');
    my ($new) = grep { $_ != $old } @both;
    my ($first, $second) = (written($old), written($new));
    visit($t, $_ * 10 + 1, $_ * 10 + 10), saved($t) for 1 .. 5;

    SKIP: {
        skip 'no /proc/*/io', 2 unless defined $first;
        is(written($old), $first, 'two managers: the old one writes nothing');
        cmp_ok(written($new), '>', $second, 'two managers: the new one does');
    }

    is(snapshot($t)->{errors}, 0, 'two managers: without an error');
    is(scalar(() = glob $t->dir . '/state/*.new'), 0,
        'two managers: nor half a file');
    $t->signal('CONT');
    ok(Ux::wait_until(sub { 1 == children($t, qr/cache manager/) }),
        'two managers: one is left');
    $t->kill_tree;
    $t->start;
    is(views($t), 60, 'two managers: every number is there');
    $t->no_alerts('two managers: no alerts');

    return;
}
