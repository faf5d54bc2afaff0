using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Gateway.Sandbox.StandIns;

namespace Gateway.Tests.Headscale;

/// <summary>
/// The stand-in is asked what real Headscales were asked, in the same order, and answers as they did. Where it does not, the difference
/// stands in Data/http/differences.txt with its reason, and must really be one.
/// </summary>
public sealed partial class RecordedRequestsTests
{
    private static readonly string _folder = Path.Combine(AppContext.BaseDirectory, "Data", "http");

    [Theory]
    [InlineData(26)]
    [InlineData(27)]
    [InlineData(28)]
    [InlineData(29)]
    [InlineData(30)]
    public async Task TheStandInAnswersAsARealHeadscaleDid(int minor)
    {
        await using var headscale = await HeadscaleStandIn.StartAsync(minor, isFresh: true);
        var listed = ReadDifferences(minor);
        var found = new List<(string Name, string Difference)>();
        foreach (var line in File.ReadLines(Path.Combine(_folder, $"0.{minor}.jsonl")))
        {
            var recorded = JsonNode.Parse(line)!.AsObject();
            if (await AskAsync(headscale, recorded) is { } difference)
            {
                found.Add(((string)recorded["name"]!, difference));
            }
        }

        found.Where(one => !listed.Any(name => IsMeant(name, one.Name))).Should().BeEmpty("each difference is mended or listed");
        listed.Where(name => !found.Exists(one => IsMeant(name, one.Name))).Should().BeEmpty("what no longer differs is not listed");
    }

    /// <summary>Names of what may differ in a version: lines of "versions | name | reason"; a name may end with a star.</summary>
    private static string[] ReadDifferences(int minor) =>
    [
        .. File.ReadLines(Path.Combine(_folder, "differences.txt")).Where(line => line.Length > 0 && line[0] != '#')
            .Select(line => line.Split('|', StringSplitOptions.TrimEntries))
            .Where(parts => parts is [var versions, _, { Length: > 0 }] && versions.Split(' ').Contains($"0.{minor}"))
            .Select(parts => parts[1]),
    ];

    private static bool IsMeant(string listed, string name) =>
        listed.EndsWith('*') ? name.StartsWith(listed[..^1], StringComparison.Ordinal) : listed == name;

    private readonly Dictionary<string, string> _kept = [];

    /// <summary>How the answer differs from the recorded one; null when it does not.</summary>
    private async Task<string?> AskAsync(HeadscaleStandIn headscale, JsonObject recorded)
    {
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });
        using var request = new HttpRequestMessage(
            new((string)recorded["method"]!),
            new Uri(
                headscale.Url.GetLeftPart(UriPartial.Authority) + Filled(headscale, (string)recorded["target"]!),
                new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
        if (recorded["body"] is { } body)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(Filled(headscale, (string)body!)));
        }

        foreach (var (name, value) in recorded["headers"]?.AsObject() ?? [])
        {
            var text = Filled(headscale, (string)value!);
            if (name == "Content-Type")
            {
                (request.Content ??= new ByteArrayContent([])).Headers.ContentType = MediaTypeHeaderValue.Parse(text);
            }
            else
            {
                request.Headers.TryAddWithoutValidation(name, text);
            }
        }

        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        var content = answer.StatusCode == HttpStatusCode.SwitchingProtocols ? "" : await answer.Content.ReadAsStringAsync();
        Keep(recorded["keeps"]?.AsObject() ?? [], content);
        return Compare(recorded, answer, content);
    }

    private static string? Compare(JsonObject recorded, HttpResponseMessage answer, string content)
    {
        if ((int)answer.StatusCode != (int)recorded["status"]!)
        {
            return $"{(int)answer.StatusCode} for {recorded["status"]}: {content}";
        }

        if ((string?)recorded["content-type"] is { } type && answer.Content.Headers.ContentType?.ToString() != type)
        {
            return $"{answer.Content.Headers.ContentType} for {type}";
        }

        if ((string?)recorded["allow"] is { } allow && string.Join(", ", answer.Content.Headers.Allow) != allow)
        {
            return $"allow {string.Join(", ", answer.Content.Headers.Allow)} for {allow}";
        }

        if ((string?)recorded["location"] is { } location && answer.Headers.Location?.OriginalString != location)
        {
            return $"location {answer.Headers.Location} for {location}";
        }

        var isError = (int)answer.StatusCode >= 400;
        return recorded["answer"] is { } json && !IsAlike(JsonNode.Parse(content), json, isError)
            ? $"{content} for {json.ToJsonString()}"
            : null;
    }

    /// <summary>An answer as recorded: names and kinds of all members, and their values.</summary>
    /// <remarks>The words of an error are Headscale's own.</remarks>
    private static bool IsAlike(JsonNode? ours, JsonNode? theirs, bool isError) => (ours, theirs) switch
    {
        (null, null) => true,
        (JsonObject one, JsonObject other) => one.Select(member => member.Key).Order(StringComparer.Ordinal)
            .SequenceEqual(other.Select(member => member.Key).Order(StringComparer.Ordinal))
            && other.All(member => isError && member.Key is "message" or "detail" or "errors" or "error_description"
                || IsAlike(one[member.Key], member.Value, isError)),
        (JsonArray one, JsonArray other) => one.Count == other.Count
            && Sorted(one).Zip(Sorted(other)).All(pair => IsAlike(pair.First, pair.Second, isError)),
        (JsonValue one, JsonValue other) => one.GetValueKind() == other.GetValueKind()
            && (one.GetValueKind() != JsonValueKind.String ? one.ToJsonString() == other.ToJsonString()
                : IsText((string)one!, (string)other!)),
        _ => false,
    };

    /// <summary>Since 0.28 lists come in any order.</summary>
    private static IEnumerable<JsonNode?> Sorted(JsonArray list) =>
        list.OrderBy(one => one is JsonObject item && item["id"] is { } id ? $"{id}" : "", StringComparer.Ordinal);

    private static bool IsText(string ours, string theirs) =>
        Regex.IsMatch(ours, $"^{string.Join(".*", Placeholder().Split(theirs).Select(Regex.Escape))}$", RegexOptions.Singleline);

    private string Filled(HeadscaleStandIn headscale, string text) => Placeholder().Replace(text, found => found.Value switch
    {
        "<key>" => headscale.ApiKey,
        "<key, base64>" => Convert.ToBase64String(Encoding.UTF8.GetBytes(headscale.ApiKey + ":")),
        "<old api key>" => "abcdefg.0123456789abcdef0123456789abcdef",
        "<2 MB>" => new string('x', 2_000_000),
        "<5 MB>" => new string('x', 5_000_000),
        "<64 hex>" => new string('0', 64),
        var name => _kept.GetValueOrDefault(name[1..^1], name),
    });

    private void Keep(JsonObject keeps, string content)
    {
        foreach (var (name, path) in keeps)
        {
            try
            {
                var node = JsonNode.Parse(content);
                foreach (var step in ((string)path!).Split('.'))
                {
                    node = int.TryParse(step, out var at) ? node?[at] : node?[step];
                }

                _kept[name] = $"{node}";
            }
            catch (Exception e) when (e is JsonException or ArgumentOutOfRangeException or InvalidOperationException)
            {
                _kept.Remove(name);
            }
        }
    }

    [GeneratedRegex("<[^<>]+>|\\{(?:acc|clid|clsec)\\}")]
    private static partial Regex Placeholder();
}
