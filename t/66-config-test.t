#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# "nginx -t" tells what a configuration would change of the newest snapshot,
# in the words of the reload that then changes it, and touches nothing: beside
# a server, without one, with a directory that is damaged or none.

use strict;
use warnings;

use Digest::MD5 ();
use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use Time::HiRes ();
use UxTest;


my @NOBODY = $> == 0 ? getpwnam 'nobody' : ();

my %LAYOUT = (variants => [ control => 50, one => 30, two => 20 ]);
my %BANNER = (variants => [ off => 1, on => 1 ]);

every_change();
another_size();
damaged_files();
no_directory();

done_testing();


# Experiments by name, in the order of the list; `zone` adds parameters.
sub conf
{
    my ($experiments, %option) = @_;

    my $size = $option{size} || '8m';
    my $conf = "ux_zone shop $size snapshot=%%DIR%%/state interval=100ms"
        . " journeys=300ms;\n";

    for (my $i = 0; $i < @$experiments; $i += 2) {
        my %e = %{ $experiments->[$i + 1] };
        my @variants = @{ delete $e{variants} };

        $conf .= "ux_experiment $experiments->[$i] {\n";
        while (my ($name, $weight) = splice @variants, 0, 2) {
            $conf .= "    variant $name $weight;\n";
        }
        $e{window} ||= 'off';
        $conf .= "    $_ $e{$_};\n" for sort keys %e;
        $conf .= "}\n";
    }

    return $conf . <<'CONF';
server {
    listen 127.0.0.1:%%PORT%%;
    ux_visitor_key $http_x_user;
    ux_expose all requests=any;
    location / { ux_event view_item; return 204; }
    location /uxstats { ux_stats; }
}
CONF
}


sub visit
{
    my ($t, $n) = @_;

    my $connection = $t->connection;

    for my $i (1 .. $n) {
        my $response = $connection->request('GET', '/', [ 'X-User' => $i ]);
        die "no answer\n" unless $response && $response->status == 204;
    }

    return;
}


# All that was counted, and the configuration in force, is in files.
sub saved
{
    my ($t) = @_;

    my $now = Time::HiRes::time();

    # each request is something new to be saved

    return Ux::wait_until(sub {
        $t->get('/', 'X-User' => 1);
        return grep { ((Time::HiRes::stat $_)[9] || 0) > $now + 0.02 }
            glob $t->dir . '/state/shop.*.visitors';
    });
}


# Everything in the directory: names, inodes, owners, modes, times, bytes.
sub look
{
    my ($dir) = @_;

    my %seen;
    for my $path (-d $dir ? ($dir, glob "$dir/*") : ()) {
        my @st = Time::HiRes::lstat($path);
        $seen{$path} = join ' ', @st[1 .. 5, 7, 9],
            -f $path ? Digest::MD5::md5_hex(Ux::_read($path)) : '';
    }

    return \%seen;
}


# Of "nginx -t" with the error log in its file, as an operator has it.
sub config_test
{
    my ($t, $conf) = @_;

    my $out = $t->dir . '/told';
    my $path = $t->dir . '/told.conf';

    Ux::_write($out, '');
    Ux::_write($path, $t->_configuration($conf));
    waitpid $t->_spawn($out, '-t', '-c', $path), 0;

    return ($? == 0, Ux::_read($out));
}


sub lines { return [ $_[0] =~ /\[notice\] .*?(ux_experiment .*)/g ] }


# Nobody but "nginx -t" is to write to the directory meanwhile.
sub without_manager
{
    my ($t, $work) = @_;

    my @managers = $t->{pid}
        ? grep { Ux::_read("/proc/$_/cmdline") =~ /cache manager/ }
            $t->_children : ();

    Ux::halt(@managers);
    my @result = $work->();
    kill 'CONT', @managers;

    return @result;
}


# Beside a server, or where there is none; the lines.
sub told
{
    my ($t, $what, $conf) = @_;

    my $dir = $t->dir . '/state';
    my ($lines, $text);

    without_manager($t, sub {
        my $before = look($dir);
        my $logged = $t->error_log;
        (my $passed, $text) = config_test($t, $conf);
        ok($passed, "$what: nginx -t passes") or diag($text);
        is_deeply(look($dir), $before, "$what: and touches nothing");
        unlike(substr($t->error_log, length $logged), qr/ux_experiment/,
            "$what: nor says in the log what did not happen");
        $lines = lines($text);
    });

    return wantarray ? ($lines, $text) : $lines;
}


sub every_change
{
    my @base = (layout => \%LAYOUT, banner => \%BANNER);
    my $with = sub { return (layout => { %LAYOUT, @_ }, banner => \%BANNER) };
    my @changes = (
        'nothing' => [ @base ], qr/^$/,
        'another order' => [ banner => \%BANNER, layout => { variants =>
            [ control => 50, two => 20, one => 30 ] } ], qr/^$/,
        'weights' => [ $with->(variants => [ control => 10, one => 70,
            two => 20 ]) ], qr/"layout": epoch 2 begins, 45\.71% of visitors/,
        'traffic' => [ $with->(traffic => '50%') ],
            qr/"layout": epoch 3 begins/,
        'everybody again' => [ $with->(traffic => '80%',
            sticky => 'off') ], qr/epoch 4 begins, .* of all visitors/,
        'a variant more' => [ $with->(variants => [ @{ $LAYOUT{variants} },
            three => 20 ]) ], qr/"layout": epoch 5 begins/,
        'a variant less' => [ $with->(variants => [ control => 50,
            one => 30 ]) ], qr/"layout": epoch 6 begins/,
        'a variant renamed' => [ $with->(variants => [ control => 50,
            uno => 30 ]) ], qr/"layout": epoch 7 begins/,
        'a target' => [ $with->(target => '$arg_a yes') ],
            qr/epoch 8 begins.*other targets/,
        'a salt' => [ $with->(salt => 'pepper') ], qr/epoch 9 begins/,
        'a layer' => [ $with->(layer => 'page 0-50%') ],
            qr/epoch 10 begins/,
        'state' => [ $with->(layer => 'page 0-50%', state => 'paused') ],
            qr/^ux_experiment "layout": state, serve, start or stop/,
        'stop' => [ $with->(layer => 'page 0-50%', state => 'paused',
            stop => '2040-01-01T00:00:00Z') ], qr/state, serve, start or/,
        'served' => [ $with->(serve => 'two') ], qr/epoch 11.*state, serve/s,
        'a goal' => [ $with->(goal => 'refund') ],
            qr/epoch 12 begins.* result restarts/,
        'alpha' => [ $with->(goal => 'refund', alpha => '0.01') ],
            qr/epoch 13 begins, 0.00%.* result restarts/,
        'a version' => [ $with->(version => 2) ],
            qr/version 2: new.*version 1: replaced by another/s,
        'one less' => [ banner => \%BANNER ],
            qr/"layout" version 2: removed, its results stay/,
        'back again' => [ $with->(version => 2) ],
            qr/"layout" version 2: back again/,
        'one more' => [ $with->(version => 2), new => \%BANNER ],
            qr/"new" version 1: new, everybody/,
        'another name' => [ $with->(version => 2), newer => \%BANNER ],
            qr/"newer" version 1: new.*"new" version 1: removed/s,
    );

    my $t = Ux::nginx(conf => conf(\@base))->start;
    visit($t, 30);
    ok(saved($t), 'there is a snapshot');

    while (my ($what, $experiments, $pattern) = splice @changes, 0, 3) {
        my $conf = conf($experiments);
        my $lines = told($t, $what, $conf);
        my $seen = length $t->error_log;

        like(join("\n", @$lines), $pattern, "$what: it says so");
        ok($t->reload(conf => $conf), "$what: reloaded");
        is_deeply($lines, lines(substr $t->error_log, $seen),
            "$what: the very lines of the reload");
        visit($t, 5);
        ok(saved($t), "$what: saved");
    }

    # without a server: what a start would change

    my $conf = conf([ layout => { %LAYOUT, version => 2, variants =>
        [ control => 10, one => 1 ] } ]);
    my $beside = told($t, 'beside a server', $conf);
    is(scalar @$beside, 3, 'beside a server: three lines');
    $t->stop;
    my ($without, $text) = told($t, 'without a server', $conf);
    is_deeply($without, $beside, 'without a server: the same lines');
    like($text, qr/a start restores 30 visitors/,
        'without a server: and what it would restore');
    $t->no_alerts('changes: no alerts');

    return;
}


# Smaller: what would not fit is said, and that is all.
sub another_size
{
    my @many = map { my $e = $_; map { ("$e$_" => { variants => [
        map { ("v$_" => 1) } 1 .. 6 ] }) } 1 .. 6 } 'e', 'f';
    my @first = @many[0 .. 11];
    my $t = Ux::nginx(conf => conf(\@first, size => '32m'))->start;
    visit($t, 6000);
    ok(saved($t), 'sizes: there is a snapshot');

    my @changed = (e1 => \%BANNER, @first[2 .. 11]);
    my ($same) = told($t, 'the same size', conf(\@changed, size => '32m'));
    my ($lines, $text) = told($t, 'half the size', conf(\@changed,
        size => '16m'));
    is_deeply($lines, $same, 'half the size: the same lines');
    like($text, qr/a start restores 6000 visitors.* 0 without room/,
        'half the size: they are restored');
    unlike($text, qr/no room for/, 'half the size: and all would fit');

    ($lines, $text) = told($t, 'a small one', conf([ @first[0 .. 1] ],
        size => '1m'));
    like($text, qr/no room for [1-9]\d+ of these visitors/,
        'a small one: some visitors would not');

    # what was counted takes the place of what is to be

    my $conf = conf([ @many[12 .. $#many] ], size => '8m');
    ($lines, $text) = told($t, 'no room', $conf);
    like($text, qr/\[warn\].*no room for earlier epochs.*a reload is refused/,
        'no room for names: a warning');
    is(scalar(grep { /version 1: removed/ } @$lines), 6,
        'no room for names: the lines all the same');

    # and quiet means quiet

    my $out = $t->dir . '/quiet';
    Ux::_write($out, '');
    Ux::_write("$out.conf", $t->_configuration(conf(\@changed)));
    waitpid $t->_spawn($out, '-t', '-q', '-c', "$out.conf"), 0;
    unlike(Ux::_read($out), qr/notice/, 'nginx -t -q says nothing');
    $t->no_alerts('sizes: no alerts');

    return;
}


sub damaged_files
{
    my $t = Ux::nginx(conf => conf([ layout => \%LAYOUT ]))->start;
    my $dir = $t->dir . '/state';
    my $conf = conf([ layout => { %LAYOUT, traffic => '10%' } ]);

    visit($t, 20);
    saved($t);
    my $lines = told($t, 'whole', $conf);
    is(scalar @$lines, 1, 'whole: one line');
    $t->stop;

    for my $path (grep { !/\.1$/ } glob "$dir/shop.*[sd]") {
        my $text = Ux::_read($path);
        substr($text, length($text) / 2, 1) ^= "\1";
        Ux::_write($path, $text);
    }
    my ($now, $text) = told($t, 'damaged', $conf);
    like($text, qr/\[warn\].*is damaged: /, 'damaged: a warning');
    unlike($text, qr/\[error\]/, 'damaged: and no error');
    is_deeply($now, $lines, 'damaged: the one before is compared with');

    Ux::_write($_, 'x' x 2000) for glob "$dir/shop.*";
    ($now, $text) = told($t, 'all damaged', $conf);
    like($text, qr/\[warn\].*is left alone: /, 'all damaged: a warning');
    like($text, qr/no snapshot in .* to compare/, 'all damaged: no lines');
    $t->no_alerts('damaged: no alerts');

    return;
}


sub no_directory
{
    my $conf = conf([ layout => \%LAYOUT ]);
    my $t = Ux::nginx(conf => $conf);
    my ($lines, $text) = told($t, 'no directory', $conf);

    like($text, qr/no snapshot in .* to compare/, 'no directory: said so');
    unlike($text, qr/\[(?:warn|error)\].*state/,
        'no directory: no warning, a start makes it');
    ok(!-e $t->dir . '/state', 'no directory: nor is it made');

    (my $none = $conf) =~ s/%%DIR%%/%%DIR%%\/none/;
    ($lines, $text) = told($t, 'in no directory', $none);
    like($text, qr/\[warn\].*cannot make it/, 'in no directory: a warning');

    SKIP: {
        skip 'needs root and nobody', 1 unless @NOBODY;

        my $group = getgrgid $NOBODY[3];
        $t = Ux::nginx(conf => $conf, globals => "user nobody $group;\n");
        chmod 0755, $t->dir;
        mkdir $t->dir . '/state', 0700;
        ($lines, $text) = told($t, 'not readable', $conf);
        like($text, qr/\[warn\].*nothing restored .*Permission denied/,
            'not readable: a warning');

        chmod 0500, $t->dir . '/state';
        chown @NOBODY[2, 3], $t->dir . '/state';
        ($lines, $text) = told($t, 'not writable', $conf);
        like($text,
            qr/\[warn\].*nothing[ ]can[ ]be[ ]saved[ ]in[ ]"[^"]*"
                [ ]as[ ]user[ ]"nobody"[ ]\(13/x,
            'not writable: a warning');
    }

    return;
}
