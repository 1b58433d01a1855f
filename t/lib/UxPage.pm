package UxPage;

# Copyright (C) the nginx-ux authors
#
# A strict reader of the page of /uxstats, and how its figures are printed,
# written down a second time:
#
#     my $page = UxPage->new($response->body);      # dies: not well-formed
#     my $article = $page->id('experiment-shop-layout');
#     my $table = UxPage::table($article, 'Metric purchase');
#     $table->{rows}{one_page}{Rate};               # "5.17 %"
#     UxPage::printed(share => 0.0517);

use strict;
use warnings;

my %EMPTY = map { $_ => 1 } qw(meta link circle path rect);

# HTML, and of SVG what the drawings need.
my %KNOWN = map { $_ => 1 } keys %EMPTY, qw(html head title script body a
    header h1 h2 h3 h4 nav ul li main section article p div span details
    summary table caption thead tbody tr th td dl dt dd time strong footer
    svg);

my $NAME = qr/[a-z][a-z0-9-]*/;
my $ENTITY = qr/&(?:amp|lt|gt|quot|#39);/;


# XML but for the first line; every id once, every place in the page there.
sub new
{
    my ($class, $html) = @_;

    my $self = bless { ids => {}, all => [] }, $class;

    $html =~ s/\A<!DOCTYPE html>\n// or die "no doctype\n";
    $html =~ /[^\n\x20-\x7e\x80-\xff]/ and die "a control character\n";
    utf8::decode($html) or die "no UTF-8\n";

    my $root = { name => '', children => [], attr => {} };
    my @open = ($root);

    while ($html =~ /\G(?:([^<>]+)|<(\/?)($NAME)((?:\s+[a-zA-Z-]+="[^"<>]*")*)
        (\/?)>)/gcx)
    {
        my ($text, $close, $name, $attributes, $empty) = ($1, $2, $3, $4, $5);

        if (defined $text) {
            push @{ $open[-1]{children} }, _plain($text);

        } elsif ($close) {
            $open[-1]{name} eq $name
                or die "</$name> ends <$open[-1]{name}>\n";
            pop @open;

        } else {
            $KNOWN{$name} or die "<$name> is not one of ours\n";
            !$empty == !$EMPTY{$name} or die "<$name>: is it empty?\n";
            my $node = { name => $name, children => [], up => $open[-1],
                attr => $self->_attributes($name, $attributes) };
            push @{ $open[-1]{children} }, $node;
            push @{ $self->{all} }, $node;
            push @open, $node unless $empty;
        }
    }

    pos $html // 0;
    (pos($html) // 0) == length $html
        or die 'not well-formed: ' . substr($html, pos($html) // 0, 60) . "\n";
    @open == 1 or die "<$open[-1]{name}> does not end\n";

    for my $node (grep { ($_->{attr}{href} || '') =~ /^#/ } @{ $self->{all} })
    {
        $self->id(substr $node->{attr}{href}, 1);
    }

    $self->{root} = $root;

    return $self;
}


sub _attributes
{
    my ($self, $name, $text) = @_;

    my %attr;

    while ($text =~ /([a-zA-Z-]+)="([^"]*)"/g) {
        die "<$name>: $1 twice\n" if exists $attr{$1};
        $attr{$1} = _plain($2);
    }

    if (defined $attr{id}) {
        $attr{id} =~ /^\S+\z/ or die "id \"$attr{id}\"\n";
        $self->{ids}{ $attr{id} }++ and die "id $attr{id} twice\n";
    }

    return \%attr;
}


sub _plain
{
    my ($text) = @_;

    my %is = (amp => '&', lt => '<', gt => '>', quot => '"', '#39' => "'");

    (my $rest = $text) =~ s/$ENTITY//g;
    $rest =~ /&/ and die "an entity: $text\n";
    $text =~ s/&([a-z0-9#]+);/$is{$1}/g;

    return $text;
}


sub all   { return grep { $_->{name} eq $_[1] } @{ $_[0]{all} } }
sub nodes { return @{ $_[0]{all} } }


sub id
{
    my ($self, $id) = @_;

    my ($node) = grep { ($_->{attr}{id} // '') eq $id } @{ $self->{all} };

    return $node || die "no id $id\n";
}


# All elements of that name below.
sub below
{
    my ($node, $name) = @_;

    return map { ref $_ ? (($_->{name} eq $name ? $_ : ()), below($_, $name))
        : () } @{ $node->{children} };
}


sub text
{
    my ($node) = @_;

    my $text = join '', map { ref $_ ? text($_) : $_ } @{ $node->{children} };

    return $text =~ s/\s+/ /gr =~ s/^ | $//gr;
}


# By its caption; rows by their heading, those of groups by "GROUP/heading".
# Dies unless every row has as many cells as there are columns.
sub table
{
    my ($node, $caption) = @_;

    my ($found) = grep { text((below($_, 'caption'))[0]) eq $caption }
        below($node, 'table');
    $found || die "no table \"$caption\"\n";

    my ($head) = below($found, 'thead');
    my ($first, @columns) = map { text($_) } below($head, 'th');
    my %table = (columns => \@columns, rows => {}, sort => {}, names => []);

    for my $body (below($found, 'tbody')) {
        my $group = '';

        for my $row (below($body, 'tr')) {
            my ($th) = below($row, 'th');
            my $scope = $th->{attr}{scope} // '';
            my @cells = below($row, 'td');

            if ($scope eq 'rowgroup') {
                $th->{attr}{colspan} == @columns + 1
                    or die "$caption: a group over $th->{attr}{colspan}\n";
                $group = text($th) . '/';
                next;
            }

            $scope eq 'row' or die "$caption: a row without a heading\n";
            @cells == @columns or die "$caption: " . text($th) . ' has '
                . @cells . ' cells of ' . @columns . "\n";

            my $name = $group . text($th);
            push @{ $table{names} }, $name;
            @{ $table{rows}{$name} }{@columns} = map { text($_) } @cells;
            @{ $table{sort}{$name} }{@columns} =
                map { $_->{attr}{'data-sort'} } @cells;
        }
    }

    return \%table;
}


# A list of names and figures.
sub facts
{
    my ($node) = @_;

    return map { text((below($_, 'dt'))[0]) => text((below($_, 'dd'))[0]) }
        grep { below($_, 'dt') } map { below($_, 'div') } below($node, 'dl');
}


my $MINUS = "\x{2212}";
my $DASH = "\x{2013}";

# What is to be read where the document has this value.
sub printed
{
    my ($kind, $value) = @_;

    return $DASH if !defined $value;
    return (defined $value->[1] ? printed($kind, $value->[0]) . ' to '
        . printed($kind, $value->[1]) : 'from ' . printed($kind, $value->[0]))
        if ref $value eq 'ARRAY';

    my %by = (
        count => sub { _commas("$value") },
        money => sub { _fixed($value, 2, 0) },
        number => sub { _rounded($value, 0) },
        change => sub { _rounded($value, 1) },
        share => sub { _share($value, 0) },
        lost => sub { _share(1 - $value, 0) },
        lift => sub { _share($value, 1) },
        points => sub { _fixed(100 * $value, 2, 1) . ' points' },
        p => sub { $value < 0.0001 ? '< 0.0001' : _fixed($value, 4, 0) },
        seconds => sub { _seconds($value) },
        bytes => sub { _bytes($value) },
        time => sub { $value =~ s/T/ /r =~ s/Z/ UTC/r },
        word => sub { ref $value ? ($value ? 'yes' : 'no') : $value },
    );

    return $by{$kind}->();
}


sub _fixed
{
    my ($value, $decimals, $sign) = @_;

    my $n = int(abs($value) * 10 ** $decimals + 0.5);
    my $digits = sprintf '%0' . ($decimals + 1) . 'd', $n;
    my $behind = $decimals ? '.' . substr($digits, -$decimals, $decimals, '')
        : '';
    my $before = $n == 0 ? '' : $value < 0 ? $MINUS : $sign ? '+' : '';

    return $before . _commas($digits) . $behind;
}


sub _commas
{
    my ($digits) = @_;

    my ($minus, $whole, $behind) = $digits =~ /^(-?)(\d+)(.*)\z/;
    1 while $whole =~ s/^(\d+)(\d{3})/$1,$2/;

    return ($minus ? $MINUS : '') . $whole . $behind;
}


sub _rounded
{
    my ($value, $sign) = @_;

    my $size = abs $value;

    return _fixed($value, $size == int $size ? 0 : $size >= 100 ? 1
        : $size >= 10 ? 2 : $size >= 0.1 ? 3 : 5, $sign);
}


sub _share
{
    my ($share, $sign) = @_;

    my $percent = 100 * abs $share;
    my $nearly = !$sign && $percent >= 99.95 && $percent < 100;

    return '> 99.99 %' if $nearly && $percent >= 99.995;

    my $decimals = $share == 0 || $percent == 100 ? 0
        : $percent >= 9.995 && !$nearly ? 1 : $percent >= 0.9995 ? 2 : 3;
    $decimals-- if $sign && $decimals > 1;

    return _fixed(100 * $share, $decimals, $sign) . ' %';
}


sub _seconds
{
    my ($seconds) = @_;

    return _rounded(1000 * $seconds, 0) . ' ms' if $seconds < 1;
    return _fixed($seconds, 2, 0) . ' s' if $seconds < 60;

    my ($n, $unit, $part, $name) = $seconds >= 86400 ? (86400, 'd', 3600, 'h')
        : $seconds >= 3600 ? (3600, 'h', 60, 'min') : (60, 'min', 1, 's');

    return int($seconds / $n) . " $unit " . int(($seconds % $n) / $part)
        . " $name";
}


sub _bytes
{
    my ($bytes) = @_;

    my @units = qw(B KiB MiB GiB TiB);
    my $i = 0;
    for (; $i < 4 && $bytes >= 1024; $i++) { $bytes /= 1024 }

    return _fixed($bytes, $i ? 1 : 0, 0) . " $units[$i]";
}


1;
