package UxChrome;

# Copyright (C) the nginx-ux authors
#
# A real browser: Chromium without a window, told what to do over its
# DevTools pipe (file descriptors 3 and 4, no port).
#
#     my $why = UxChrome::missing();    # what to install, undef: nothing
#     my $chrome = UxChrome->new;
#     my $visitor = $chrome->visitor;   # cookies of its own
#     $visitor->go("http://127.0.0.1:$port/");     # returns when it is loaded
#     is($visitor->run('document.title'), 'Shop');   # promises are waited for
#     $visitor->click('button');        # a mouse, where that is on the page
#     $visitor->key('Tab');             # and Enter, Space, ArrowDown ...
#     $visitor->listen;                 # from now on, and then:
#     is_deeply([ $visitor->complaints ], []);   # errors, what a policy barred
#     is_deeply([ $visitor->hosts ], [ "127.0.0.1:$port" ]);    # asked by it
#     $visitor->look(width => 375, scheme => 'dark');
#     $visitor->leave;                  # to an empty page
#
# TEST_CHROMIUM names another binary.  It is no robot by its User-Agent, and
# speaks to 127.0.0.1 only.  Dies with Chromium's own words when it is gone,
# or says nothing for PATIENCE seconds.

use strict;
use warnings;

use File::Temp ();
use IO::Select;
use JSON::PP ();
use POSIX ();
use Time::HiRes ();
use UxTest;

use constant PATIENCE => 60;

my $AGENT = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36'
    . ' (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';

# Events that are kept whatever else is waited for.
my %HEARD = map { $_ => 1 } qw(Log.entryAdded Runtime.exceptionThrown
    Runtime.consoleAPICalled Audits.issueAdded Network.requestWillBeSent);

my $json = JSON::PP->new->utf8->allow_nonref;


sub binary
{
    return $ENV{TEST_CHROMIUM}
        || (grep { -x } map { ("$_/chromium", "$_/chromium-browser",
            "$_/google-chrome") } split /:/, $ENV{PATH})[0];
}


sub missing
{
    return defined binary() ? undef
        : 'no chromium: install it (apt-get install chromium)';
}


sub new
{
    my ($class) = @_;

    my $dir = File::Temp->newdir('uxtest-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    my $self = bless { dir => $dir, last => 0, text => '', events => [],
        heard => [] },
        $class;

    pipe my $ours, my $write or die "pipe: $!\n";
    pipe my $read, my $to or die "pipe: $!\n";

    my $pid = fork;
    die "fork: $!\n" unless defined $pid;

    if ($pid == 0) {
        $self->_become($read, $write);
    }

    close $read;
    close $write;
    binmode $_ for $ours, $to;
    $to->autoflush(1);

    @$self{qw(pid from to)} = ($pid, $ours, $to);
    $self->call('Browser.getVersion');

    return $self;
}


# The child: 3 is what it is told, 4 what it says; nothing else of ours.
sub _become
{
    my ($self, $read, $write) = @_;

    my $dir = $self->{dir};
    my ($in, $out) = map { POSIX::dup2(fileno $_->[0], $_->[1]) }
        [ $read, 40 ], [ $write, 41 ];

    POSIX::setpgid(0, 0);
    open STDIN, '<', '/dev/null';
    open STDOUT, '>', "$dir/log";
    open STDERR, '>&', \*STDOUT;
    POSIX::dup2(40, 3);
    POSIX::dup2(41, 4);
    POSIX::close($_) for 5 .. 63;

    $ENV{HOME} = "$dir";
    { no warnings; exec { binary() } binary(), '--headless',
        '--remote-debugging-pipe', '--no-sandbox', '--disable-gpu',
        '--disable-dev-shm-usage', '--no-first-run',
        '--disable-background-networking', '--disable-component-update',
        '--disable-sync', '--disable-extensions', '--mute-audio',
        '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
        "--user-data-dir=$dir/profile", "--user-agent=$AGENT",
        '--window-size=1000,800', 'about:blank'; }
    POSIX::_exit(127);
}


# One command; what it returns.
sub call
{
    my ($self, $method, $params, $session) = @_;

    my $id = ++$self->{last};
    my %message = (id => $id, method => $method, params => $params || {});

    $message{sessionId} = $session if defined $session;
    local $SIG{PIPE} = 'IGNORE';
    print { $self->{to} } $json->encode(\%message), "\0";

    while (1) {
        my $answer = $self->_read;

        if (!defined $answer->{id}) {
            push @{ $self->{events} }, $answer;
            next;
        }

        next if $answer->{id} != $id;
        die "$method: $answer->{error}{message}\n" if $answer->{error};

        return $answer->{result};
    }
}


# Waits for an event of a session; those before it are forgotten.
sub await
{
    my ($self, $method, $session) = @_;

    while (1) {
        my $event = shift @{ $self->{events} } || $self->_read;

        return $event if ($event->{method} || '') eq $method
            && ($event->{sessionId} || '') eq $session;
    }
}


sub _read
{
    my ($self) = @_;

    while ($self->{text} !~ /\0/) {
        my $more = IO::Select->new($self->{from})->can_read(PATIENCE)
            && sysread $self->{from}, $self->{text}, 65536,
                length $self->{text};

        die "chromium says nothing more:\n" . Ux::_read("$self->{dir}/log")
            unless $more;
    }

    $self->{text} =~ s/^([^\0]*)\0//;

    my $message = $json->decode($1);

    push @{ $self->{heard} }, $message if $HEARD{ $message->{method} || '' };

    return $message;
}


sub visitor
{
    my ($self) = @_;

    my $context = $self->call('Target.createBrowserContext');
    my $target = $self->call('Target.createTarget', { url => 'about:blank',
        browserContextId => $context->{browserContextId} });
    my $session = $self->call('Target.attachToTarget', { flatten => \1,
        targetId => $target->{targetId} })->{sessionId};
    my $visitor = bless { chrome => $self, session => $session },
        'UxChrome::Visitor';

    $visitor->call('Page.enable');

    return $visitor;
}


sub DESTROY
{
    my ($self) = @_;

    return unless $self->{pid};

    local ($?, $!, $@);
    eval { $self->call('Browser.close') };

    # a wrapper may stay before it

    my $gone = Ux::wait_until(sub {
        waitpid($self->{pid}, POSIX::WNOHANG()) != 0 });
    kill 'KILL', -$self->{pid};
    waitpid $self->{pid}, 0 unless $gone;

    return;
}


package UxChrome::Visitor;


sub call
{
    my ($self, $method, $params) = @_;

    return $self->{chrome}->call($method, $params, $self->{session});
}


sub go
{
    my ($self, $url) = @_;

    my $went = $self->call('Page.navigate', { url => $url });

    die "$url: $went->{errorText}\n" if $went->{errorText};
    $self->loaded;

    return;
}


# The next page is there.
sub loaded
{
    my ($self) = @_;

    $self->{chrome}->await('Page.loadEventFired', $self->{session});

    return;
}


sub leave { return $_[0]->go('about:blank') }


# An expression, or a promise of a value.
sub run
{
    my ($self, $script) = @_;

    my $result = $self->call('Runtime.evaluate', { expression => $script,
        awaitPromise => \1, returnByValue => \1 });

    die "$script: $result->{exceptionDetails}{exception}{description}\n"
        if $result->{exceptionDetails};

    return $result->{result}{value};
}


# The middle of the first element that matches.
sub click
{
    my ($self, $selector) = @_;

    my $at = $self->run("(() => { const e = document.querySelector("
        . $json->encode($selector) . '); e.scrollIntoView();'
        . ' const r = e.getBoundingClientRect();'
        . ' return [ r.x + r.width / 2, r.y + r.height / 2 ] })()');

    $self->call('Input.dispatchMouseEvent', { type => $_, button => 'left',
        clickCount => 1, x => $at->[0], y => $at->[1] })
        for qw(mousePressed mouseReleased);

    return;
}


my %KEYS = (Tab => 9, Enter => 13, Space => 32, Escape => 27,
    ArrowUp => 38, ArrowDown => 40, End => 35, Home => 36);

# Pressed and released, where the focus is; shift, where it is said.
sub key
{
    my ($self, $key, $shift) = @_;

    my $text = { Enter => "\r", Space => ' ' }->{$key};
    my %key = (key => $key eq 'Space' ? ' ' : $key, code => $key,
        windowsVirtualKeyCode => $KEYS{$key}, modifiers => $shift ? 8 : 0);

    $self->call('Input.dispatchKeyEvent', { %key,
        type => defined $text ? 'keyDown' : 'rawKeyDown',
        defined $text ? (text => $text) : () });
    $self->call('Input.dispatchKeyEvent', { %key, type => 'keyUp' });

    return;
}


# Width of the window, colour scheme, reduced motion, medium.
sub look
{
    my ($self, %look) = @_;

    $self->call('Emulation.setDeviceMetricsOverride', {
        width => 0 + ($look{width} || 1280), height => 900,
        deviceScaleFactor => 1, mobile => JSON::PP::false() });
    $self->call('Emulation.setEmulatedMedia', { media => $look{media} || '',
        features => [ { name => 'prefers-color-scheme',
            value => $look{scheme} || 'light' },
        { name => 'prefers-reduced-motion',
            value => $look{still} ? 'reduce' : 'no-preference' } ] });

    return;
}


sub listen
{
    my ($self) = @_;

    $self->call("$_.enable") for qw(Log Runtime Audits Network);
    $self->{chrome}{heard} = [];

    return;
}


sub _heard
{
    my ($self, $method) = @_;

    return map { $_->{params} } grep { $_->{method} eq $method
        && ($_->{sessionId} || '') eq $self->{session} }
        @{ $self->{chrome}{heard} };
}


# What a developer would see in the console, and issues of the page.
sub complaints
{
    my ($self) = @_;

    return ((map { "$_->{entry}{level}: $_->{entry}{text}"
                . " $_->{entry}{url}" } $self->_heard('Log.entryAdded')),
        (map { "exception: $_->{exceptionDetails}{text} "
                . ($_->{exceptionDetails}{exception}{description} || '') }
            $self->_heard('Runtime.exceptionThrown')),
        (map { "console: $_->{type}" }
            $self->_heard('Runtime.consoleAPICalled')),
        (map { "issue: " . $json->encode($_->{issue}) }
            $self->_heard('Audits.issueAdded')));
}


# Whom it has sent requests to; "data:" is nobody.
sub hosts
{
    my ($self) = @_;

    my %host = map { m{^\w+://([^/]+)} ? ($1 => 1)
        : /^(?:data|about):/ ? () : ($_ => 1) }
        map { $_->{request}{url} } $self->_heard('Network.requestWillBeSent');

    return sort keys %host;
}


1;
