using System.Globalization;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Gateway.Authorization;
using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Edge;

/// <summary>
/// Whatever gets through the door has one reading: Headscale's parsers, generous as they are, read in it what was judged,
/// both in the request as it came and in the call that is sent.
/// </summary>
public sealed class OneReadingTests
{
    private const int Samples = 20_000;

    [Theory]
    [ClassData(typeof(EveryVersion))]
    public async Task WhatHeadscaleWouldReadIsWhatWasJudged(int version)
    {
        var parser = new HeadscaleParser(version);
        var configuration = new Configuration(Some.Settings("headscale: {url: http://h, api_key: none}").Settings!, Some.Table);
        using var client = HeadscaleClient.Of(new ConfigurationMonitor(configuration));
        var key = new GatewayKey(client, new ConfigurationMonitor(configuration));
        var authorizer = new Authorizer(new OwnerLookup(client, TimeProvider.System), key, _ => new(new HeadscaleVersion(version)));
        var facts = Facts.Anonymous with { SignedIn = true, Role = Some.Table.RoleNamed("owner") };
        var (allowed, readHere) = (0, 0);

        foreach (var (method, target, body) in Requests(version).Sample(Samples, 50))
        {
            var bytes = Encoding.UTF8.GetBytes(body);
            var raw = RawTarget.Parse(target);
            var call = new WireCall(method, raw, Some.Table.Find(method, raw?.Path ?? ""), new HeaderDictionary(), new GivenBody(bytes));
            var judgement = await authorizer.AuthorizeAsync(new(call, facts), default);
            var asCame = parser.Read(method, target, bytes);
            readHere += asCame is null ? 0 : 1;
            if (judgement.Decision.Reason is not Reason.Allowed)
            {
                continue;
            }

            allowed++;
            var judged = Of(judgement);
            var asSent = parser.Read(judgement.Call.Method, judgement.UpstreamTarget, judgement.UpstreamBody ?? []);
            (asSent is null || $"{asSent}" == $"{judged}").Should().BeTrue($"{method} {target} {body}\njudged {judged}\nsent   {asSent}");
            (asCame is null || $"{asCame}" == $"{judged}").Should().BeTrue($"{method} {target} {body}\njudged {judged}\ncame   {asCame}");
        }

        // Without both, nothing would be compared.
        (allowed > Samples / 50).Should().BeTrue($"{allowed} were allowed");
        (readHere > allowed).Should().BeTrue($"{readHere} were understood by Headscale");
    }

    private static Understood Of(AuthorizationResult judgement) => new(
        $"{judgement.Call.Method} {judgement.Decision.Rule!.Path.Pattern}",
        judgement.Call.Path,
        judgement.Call.Query,
        (judgement.Call.Body ?? new Dictionary<string, Argument>())
            .ToDictionary(one => one.Key, one => one.Value.Text
                ?? (one.Value.Flag is { } flag ? flag ? "true" : "false" : string.Join('\n', one.Value.List ?? []))));

    /// <summary>Calls of the API document, and what people make of them who try to be read in two ways.</summary>
    private static Gen<(string Method, string Target, string Body)> Requests(int version) =>
        from operation in Gen.Elements(
            HeadscaleOperations.Of(version).Where(one => one.Path.StartsWith("/api/v1/", StringComparison.Ordinal)).ToArray())
        let row = Some.Table.Rules.Single(one => one.Methods.Contains(operation.Method) && one.Path.Pattern == operation.Path)
        from values in Gen.ArrayOf(
            Gen.Elements(
                "5", "17", "05", "0x11", "1_7", "+5", "a", "renamed", "a b", "\u00e4", "..", "a/b", "a%2fb", "18446744073709551616",
                "hskey-api-abc", ""),
            2)
        from path in Path(operation.Path, values)
        from query in Query(row)
        from body in row.Body is null ? Gen.Frequency((9, Gen.Constant("")), (1, Gen.Elements("{}", "x"))) : Body(row, version)
        from method in Gen.Frequency((30, Gen.Constant(operation.Method)), (1, Gen.Elements("GET", "POST", "DELETE", "get")))
        select (method, path + query, body);

    private static Gen<string> Path(string pattern, string[] values)
    {
        var (filled, at) = (new List<string>(), 0);
        foreach (var segment in pattern.Split('/').Skip(1))
        {
            filled.Add(segment.StartsWith('{') ? Uri.EscapeDataString(values[at++ % values.Length]) : segment);
        }

        return from spoiled in Gen.Frequency(
            (6, Gen.Constant("")), (4, Gen.Elements("escape", "case", "double", "dot", "up", "slash", "encoded slash", "parameter", "end")))
               from position in Gen.Choose(0, filled.Count - 1)
               select "/" + string.Join('/', Spoil(filled, spoiled, position));
    }

    private static IEnumerable<string> Spoil(List<string> segments, string how, int at) =>
        segments.Select((segment, index) => index != at ? segment : how switch
        {
            "escape" when segment.Length > 0 => $"%{(int)segment[0]:x2}{segment[1..]}",
            "case" => segment.ToUpperInvariant(),
            "double" => "/" + segment,
            "dot" => "./" + segment,
            "up" => "x/../" + segment,
            "slash" => segment + "/",
            "encoded slash" => segment + "%2F" + segment,
            "parameter" => segment + ";a=b",
            "end" => segment + "%00",
            _ => segment,
        });

    private static Gen<string> Query(RouteRule row) =>
        from names in Gen.ListOf(
            Gen.Elements([.. row.Query.Keys, .. row.Query.Keys, .. row.Query.Keys.Select(one => one.ToUpperInvariant()), "user", "node_id",
                "id", "disable_expiry", "%75ser", "user%00", "x"]))
        from values in Gen.ArrayOf(
            Gen.Elements("5", "sam", "true", "false", "2030-01-01T00:00:00Z", "a+b", "a%20b", "%zz", "a;b=c", "a%3Db", "", "%C3%A4", "%ff"),
            3)
        let pairs = names.Take(3).Select((name, at) => $"{name}={values[at]}").ToArray()
        from has in Gen.Frequency((2, Gen.Constant(false)), (1, Gen.Constant(true)))
        select has && pairs.Length > 0 ? "?" + string.Join('&', pairs) : "";

    private static Gen<string> Body(RouteRule row, int version)
    {
        var fields = Bodies.All[row.Body!].Fields.Where(one => one.IsIn(new HeadscaleVersion(version))).ToArray();
        var names = fields.SelectMany(
            one => new[] { one.Name, one.Name, one.Name, one.Name, Capital(one.Name), one.Name.ToUpperInvariant(),
                one.Name.Replace('s', '\u017f'), Snake(one.Name), $"\\u{(int)one.Name[0]:x4}{one.Name[1..]}", one.Name + " " })
            .Append("extra").ToArray();
        return from chosen in Gen.ListOf(Gen.Elements(names))
               from all in Gen.Elements(true, true, false)
               from spare in Gen.Choose(0, 2)
               from values in Gen.ListOf(
                   Gen.Elements(
                       "\"5\"", "5", "\"05\"", "\"0x5\"", "5.0", "5e0", "-1", "true", "false", "\"true\"", "null", "[\"tag:a\"]", "[]",
                       "[1]", "\"tag:a\"", "\"\\ud800\"", "\"\\u0000\"", "\"2030-01-01T00:00:00Z\"", "{}"),
                   12)
               let members = all
                   ? [.. fields.Select(one => $"\"{one.Name}\":{Good(one.Type)}"), .. chosen.Take(spare)
                       .Select((name, at) => $"\"{name}\":{values[at]}")]
                   : chosen.Take(4).Select((name, at) => $"\"{name}\":{values[at]}").ToArray()
               from frame in Gen.Frequency(
                   (12, Gen.Constant("{0}")), (1, Gen.Elements(" {0} ", "\ufeff{0}", "{0}{0}", "[{0}]", "{0},", "//\n{0}")))
               select frame.Replace("{0}", "{" + string.Join(',', members) + "}", StringComparison.Ordinal);
    }

    private static string Good(FieldType type) => type switch
    {
        FieldType.None => "null",
        FieldType.Text => "\"text\"",
        FieldType.Id => "\"5\"",
        FieldType.Flag => "true",
        FieldType.Time => "\"2030-01-01T00:00:00Z\"",
        FieldType.List => "[\"tag:a\",\"tag:b\"]",
        FieldType.Number => "7",
    };

    private static string Capital(string name) => char.ToUpperInvariant(name[0]) + name[1..];

    private static string Snake(string name) =>
        string.Concat(
            name.Select(one => char.IsAsciiLetterUpper(one) ? string.Create(CultureInfo.InvariantCulture, $"_{char.ToLowerInvariant(one)}")
                : $"{one}"));
}
