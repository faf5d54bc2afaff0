using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Headscale;
using Gateway.Headscale.Grpc;

namespace Gateway.Sandbox.StandIns;

/// <summary>
/// What a version makes of a request's path, query and body before it does anything. Up to 0.29 it is read as a message of gRPC, and
/// what that does not have is passed over; 0.30 refuses it.
/// </summary>
internal sealed class RequestForm(int version)
{
    private const int LongestMessage = 4 * 1024 * 1024;
    private const int LongestBody = 1024 * 1024;

    /// <summary>Operations of POST whose arguments are all in the path and the query.</summary>
    private static readonly HashSet<string> _withoutBody = ["RegisterNode", "BackfillNodeIPs", "RenameUser", "RenameNode"];

    private readonly HeadscaleVersion _messages = new(Math.Min(version, GrpcMethods.LastMinor));

    private bool IsStrict => version > GrpcMethods.LastMinor;

    /// <summary>The operation of a path; null: there is none.</summary>
    public GrpcMethod? Find(string verb, string[] path) => All(path).FirstOrDefault(one => one.Verb == verb);

    /// <summary>All operations of a path.</summary>
    public IEnumerable<GrpcMethod> All(string[] path) => GrpcMethods.All.Where(one => one.IsIn(_messages)
        && one.Pattern.Split('/')[3..] is var pattern && pattern.Length == path.Length
        && pattern.Zip(path).All(pair => pair.First is ['{', ..] ? !IsStrict || pair.Second.Length > 0 : pair.First == pair.Second));

    /// <summary>The arguments in the path and the query, which must be of their types.</summary>
    /// <exception cref="StandInFailure">They are not.</exception>
    public Dictionary<string, string> ReadQuery(GrpcMethod method, string[] path, string query)
    {
        foreach (var (name, value) in method.Pattern.Split('/')[3..].Zip(path).Where(pair => pair.First is ['{', ..]))
        {
            if (method.Request.Find(name[1..^1], _messages) is { Type: GrpcType.Number })
            {
                _ = Number(value, name == "{nodeId}" ? null : "invalid id");
            }
        }

        if (!IsStrict && query.Contains(';', StringComparison.Ordinal))
        {
            throw new StandInFailure(400, "invalid semicolon separator in query");
        }

        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        var isByQuery = method.Verb is "GET" or "DELETE" || method.Name is "RegisterNode" or "BackfillNodeIPs"
            || (method.Name == "ExpireNode" && !IsStrict);
        foreach (var part in query.Split('&', StringSplitOptions.RemoveEmptyEntries).TakeWhile(_ => isByQuery))
        {
            var (name, value) = (Unescape(part.Split('=')[0]), Unescape(part.Split('=', 2).ElementAtOrDefault(1) ?? ""));
            if (method.Request.Find(name, _messages) is not { } field)
            {
                continue;
            }

            if (!found.TryAdd(name, value) && !IsStrict)
            {
                throw new StandInFailure(400, $"too many values for field \"{name}\": {found[name]}, {value}");
            }

            CheckText(field, value);
        }

        return found;
    }

    /// <summary>The members of the body that the operation has, numbers as text.</summary>
    /// <exception cref="StandInFailure">The version does not take the body.</exception>
    public JsonObject ReadBody(GrpcMethod method, string? type, string body)
    {
        if (Encoding.UTF8.GetByteCount(body) is var length && length > (IsStrict ? LongestBody : LongestMessage))
        {
            throw IsStrict ? new(413, "request body is too large limit=1048576 bytes")
                : new StandInFailure(429, $"grpc: received message larger than max ({length} vs. {LongestMessage})");
        }

        if (method.Verb is "GET" or "DELETE" || _withoutBody.Contains(method.Name) || (method.Name == "ExpireNode" && !IsStrict))
        {
            return [];
        }

        if (body.Length == 0)
        {
            return !IsStrict || method.Name == "ExpireNode" ? [] : throw new StandInFailure(400, "request body is required");
        }

        if (IsStrict && type is { Length: > 0 } && !type.StartsWith("application/json", StringComparison.OrdinalIgnoreCase))
        {
            throw new StandInFailure(415, "validation failed") { Cause = $"unknown content type: {type}" };
        }

        using var document = Parse(body);
        if (document.RootElement.ValueKind is not JsonValueKind.Object)
        {
            throw Invalid("expected object");
        }

        return Members(method, document.RootElement);
    }

    private JsonObject Members(GrpcMethod method, JsonElement body)
    {
        var members = new JsonObject();
        foreach (var member in body.EnumerateObject())
        {
            var name = IsStrict ? member.Name : CamelCase(member.Name);
            if (method.Request.Find(name, _messages) is not { } field || method.Pattern.Contains($"{{{name}}}", StringComparison.Ordinal))
            {
                if (IsStrict)
                {
                    throw Invalid("unexpected property");
                }

                continue;
            }

            if (members.ContainsKey(name) && !IsStrict)
            {
                throw Invalid($"duplicate field \"{name}\"");
            }

            members[name] = Read(field, member.Value);
        }

        return members;
    }

    private JsonNode? Read(GrpcField field, JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        if (field.IsRepeated)
        {
            return value.ValueKind == JsonValueKind.Array
                ? new JsonArray([.. value.EnumerateArray().Select(one => (JsonNode)TextOf(one))]) : throw Invalid("expected array");
        }

        switch (field.Type)
        {
            case GrpcType.Flag:
                return value.ValueKind is JsonValueKind.True or JsonValueKind.False
                    ? value.GetBoolean() : throw Invalid("expected boolean");
            case GrpcType.Number when value.ValueKind == JsonValueKind.Number && !IsStrict:
                return Number(value.GetRawText()).ToString(CultureInfo.InvariantCulture);
            case GrpcType.Number when !IsStrict:
                return Number(TextOf(value)).ToString(CultureInfo.InvariantCulture);
            default:
                CheckText(field, TextOf(value));
                return value.GetString();
        }
    }

    private void CheckText(GrpcField field, string value)
    {
        if (field.Type == GrpcType.Number && !(IsStrict && value.Length == 0))
        {
            _ = Number(value, "invalid id");
        }

        if ((field.Type == GrpcType.Flag && value is not ("true" or "false" or "1" or "0"))
            || (field.Type == GrpcType.Time && !DateTimeOffset.TryParse(value, CultureInfo.InvariantCulture, out _)))
        {
            throw Invalid($"parsing \"{value}\": invalid syntax");
        }
    }

    private string TextOf(JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Invalid("expected string");

    /// <summary>Up to 0.29 numbers are read as Go reads its own: 01 and 0x1 are 1.</summary>
    /// <param name="refusal">What 0.30 calls the mistake; null: by its cause.</param>
    public ulong Number(string text, string? refusal = null)
    {
        var cause = $"strconv.ParseUint: parsing \"{text}\": invalid syntax";
        var (digits, style) = !IsStrict && text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            ? (text[2..], NumberStyles.AllowHexSpecifier) : (text, NumberStyles.None);
        return ulong.TryParse(digits, style, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new StandInFailure(400, IsStrict && refusal is not null ? refusal : cause) { Cause = refusal is null ? null : cause };
    }

    /// <summary>Up to 0.29 what follows the first value is passed over.</summary>
    private JsonDocument Parse(string body)
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        try
        {
            if (IsStrict)
            {
                return JsonDocument.Parse(bytes);
            }

            var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { AllowMultipleValues = true });
            return JsonDocument.ParseValue(ref reader);
        }
        catch (JsonException e)
        {
            throw new StandInFailure(400, IsStrict ? "validation failed" : e.Message) { Cause = e.Message };
        }
    }

    private StandInFailure Invalid(string cause) =>
        IsStrict ? new(422, "validation failed") { Cause = cause } : new StandInFailure(400, $"proto: {cause}");

    private string Unescape(string text)
    {
        for (var at = text.IndexOf('%', StringComparison.Ordinal); at >= 0; at = text.IndexOf('%', at + 1))
        {
            if (!IsStrict && (at + 2 >= text.Length || !char.IsAsciiHexDigit(text[at + 1]) || !char.IsAsciiHexDigit(text[at + 2])))
            {
                throw new StandInFailure(400, $"invalid URL escape \"{text[at..]}\"");
            }
        }

        return Uri.UnescapeDataString(text.Replace('+', ' '));
    }

    private static string CamelCase(string name)
    {
        var parts = name.Split('_');
        return string.Concat(parts.Select((part, at) => at == 0 || part.Length == 0 ? part : char.ToUpperInvariant(part[0]) + part[1..]));
    }
}
