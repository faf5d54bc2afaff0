using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Gateway.Edge;
using Gateway.Sandbox.StandIns;

namespace Gateway.Tests.Support;

/// <summary>A request of <c>Data/hostile-requests.txt</c>, which explains its own form.</summary>
/// <param name="Class">What is attacked.</param>
/// <param name="Name">Class and number.</param>
/// <param name="IsProxy">Whether the proxy in front sends it; else a stranger does.</param>
/// <param name="Statuses">What may be answered.</param>
/// <param name="NeverUpstream">What Headscale must not see; null: nothing at all.</param>
/// <param name="NeverAnswered">What the caller must not see.</param>
/// <param name="Bytes">The request.</param>
internal sealed partial record HostileRequest(
    string Class, string Name, bool IsProxy, IReadOnlySet<int> Statuses, IReadOnlyList<string>? NeverUpstream,
        IReadOnlyList<string> NeverAnswered, byte[] Bytes)
{
    private const string Host = "Host: gw.example.test";
    private const string Nothing = "Headscale sees nothing";
    private const string NotUpstream = "Headscale never sees ";
    private const string NotAnswered = "the answer never has ";
    private const string NowhereElse = "the answer leads nowhere else";

    private static readonly string[] _elsewhere =
    [
        "Location: //evil", "Location: https://evil", "Location: /\\evil", "Location: \\\\evil", "Location: javascript",
        "\r\nSet-Cookie: x=1",
    ];

    public static IReadOnlyList<HostileRequest> All { get; } =
    [
        .. File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Data", "hostile-requests.txt")).Split("\n== ").Skip(1).Select(Parse),
    ];

    /// <summary>The line of the request; null where it is not of the ordinary form, with its headers and body.</summary>
    public (string Method, string Target, IReadOnlyList<(string Name, string Value)> Headers, string Body)? Parts
    {
        get
        {
            var text = Encoding.Latin1.GetString(Bytes);
            var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (end < 0 || text[..end].Split("\r\n") is not [var line, .. var headers]
                || line.Split(' ') is not [var method, var target, "HTTP/1.1"] || !headers.All(one => Header().IsMatch(one)))
            {
                return null;
            }

            return (method, target, [.. headers.Select(one =>
                (one[..one.IndexOf(':', StringComparison.Ordinal)], one[(one.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim(' ')))],
                    text[(end + 4)..]);
        }
    }

    /// <summary>What was broken, in words.</summary>
    public IEnumerable<string> Judge(IReadOnlyList<int> statuses, string answer, IReadOnlyList<Received> received)
    {
        foreach (var status in statuses.Where(one => !Statuses.Contains(one)))
        {
            yield return $"{Name}: {status} was answered";
        }

        foreach (var one in received.Where(_ => NeverUpstream is null))
        {
            yield return $"{Name}: Headscale saw {one.Method} {one.Target}";
        }

        foreach (var token in NeverUpstream?.Where(token => received.Any(one => Saw(one, token))) ?? [])
        {
            yield return $"{Name}: Headscale saw {token}";
        }

        foreach (var token in NeverAnswered.Where(token => answer.Contains(token, StringComparison.Ordinal)))
        {
            yield return $"{Name}: the answer has {token}";
        }
    }

    private static bool Saw(Received received, string token)
    {
        var (kind, text) = (token[..token.IndexOf(':', StringComparison.Ordinal)],
            token[(token.IndexOf(':', StringComparison.Ordinal) + 1)..]);
        return kind switch
        {
            "path" => received.Target.Contains(text, StringComparison.Ordinal),
            "method" => received.Method.Equals(text, StringComparison.OrdinalIgnoreCase),
            "header" =>
                text.Split(": ") is [var name, .. var value]
                    && received.Headers.Any(
                        one => Fold(one.Key) == Fold(name)
                            && value.All(part => one.Value.Contains(part, StringComparison.OrdinalIgnoreCase))),
            "raw" =>
                received.Headers.Any(one => $"{one.Key}: {one.Value}".Contains(text, StringComparison.Ordinal))
                    || received.Target.Contains(text, StringComparison.Ordinal) || received.Body.Contains(text, StringComparison.Ordinal),
            _ => throw new InvalidOperationException(token),
        };
    }

    private static string Fold(string name) => name.Replace('_', '-').Replace('.', '-').ToUpperInvariant();

    private static HostileRequest Parse(string block)
    {
        var lines = block.Split('\n');
        var title = lines[0].Split(", ");
        var promises = lines[1][2..].Split("; ");
        var request = new StringBuilder();
        foreach (var line in lines[2..^1])
        {
            request.Append(Expand(line));
        }

        return new(
            title[0].Split(' ')[0],
            title[0],
            title[1] == "the proxy in front",
            promises[0].Split(' ').Select(one => int.Parse(one, CultureInfo.InvariantCulture)).ToHashSet(),
            promises.Contains(Nothing)
                ? null
                : [.. promises.Where(one => one.StartsWith(NotUpstream, StringComparison.Ordinal))
                    .Select(one => Unescape(one[NotUpstream.Length..]))],
            [.. promises.Where(one => one.StartsWith(NotAnswered, StringComparison.Ordinal))
                .Select(one => Unescape(one[NotAnswered.Length..])), .. promises.Contains(NowhereElse) ? _elsewhere : []],
            Encoding.Latin1.GetBytes(request.ToString()));
    }

    private static string Expand(string line)
    {
        var isOpen = line.EndsWith("\\c", StringComparison.Ordinal);
        var text = Short().Replace(isOpen ? line[..^2] : line, match => match.Groups[1].Value switch
        {
            "host" => $"{Host}\r\nAccept: application/json",
            "bare host" => Host,
            "front" => "X-Forwarded-For: 192.0.2.10\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: gw.example.test",
            var each when each.Split(' ') is ["each", var times, .. var rest] =>
                string.Join(
                    "\r\n",
                    Enumerable.Range(0, int.Parse(times, CultureInfo.InvariantCulture))
                        .Select(at => string.Join(' ', rest).Replace("#", $"{at}", StringComparison.Ordinal))),
            var person when person.StartsWith("as ", StringComparison.Ordinal) =>
                $"Remote-User: {person[3..]}\r\nRemote-Email: {person[3..]}@example.test",
            var repeated =>
                string.Concat(
                    Enumerable.Repeat(repeated[..repeated.LastIndexOf('*')],
                        int.Parse(repeated[(repeated.LastIndexOf('*') + 1)..], CultureInfo.InvariantCulture))),
        });
        return Unescape(text) + (isOpen ? "" : "\r\n");
    }

    private static string Unescape(string text) => Escape().Replace(text, match => match.Value[1] switch
    {
        'r' => "\r",
        'n' => "\n",
        't' => "\t",
        'x' => $"{(char)Convert.ToInt32(match.Value[2..], 16)}",
        var one => $"{one}",
    });

    [GeneratedRegex("«([^»]+)»")]
    private static partial Regex Short();

    [GeneratedRegex(@"\\(x[0-9a-f]{2}|.)")]
    private static partial Regex Escape();

    [GeneratedRegex("^[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\0\r\n]*$")]
    private static partial Regex Header();
}
