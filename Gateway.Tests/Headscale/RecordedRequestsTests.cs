using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Sandbox.StandIns;

namespace Gateway.Tests.Headscale;

/// <summary>
/// The stand-in is asked what real Headscales were asked, in the same order, and answers as they did. Where it does not, the difference
/// stands in Data/http/differences.txt with its reason, and must really be one.
/// </summary>
public sealed class RecordedRequestsTests
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
        var listed = Recorded.ReadDifferences(_folder, minor);
        var found = new List<(string Name, string Difference)>();
        foreach (var line in File.ReadLines(Path.Combine(_folder, $"0.{minor}.jsonl")))
        {
            var recorded = JsonNode.Parse(line)!.AsObject();
            if (await AskAsync(headscale, recorded) is { } difference)
            {
                found.Add(((string)recorded["name"]!, difference));
            }
        }

        found.Where(one => !listed.Any(name => Recorded.IsMeant(name, one.Name))).Should()
            .BeEmpty("each difference is mended or listed");
        listed.Where(name => !found.Exists(one => Recorded.IsMeant(name, one.Name))).Should()
            .BeEmpty("what no longer differs is not listed");
    }

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
        return recorded["answer"] is { } json && !Recorded.IsAlike(JsonNode.Parse(content), json, isError)
            ? $"{content} for {json.ToJsonString()}"
            : null;
    }

    private string Filled(HeadscaleStandIn headscale, string text) => Recorded.Placeholder().Replace(text, found => found.Value switch
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
}
