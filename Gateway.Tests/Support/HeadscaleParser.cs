using System.Globalization;
using System.Text;
using System.Text.Json;
using Gateway.Headscale;

namespace Gateway.Tests.Support;

/// <summary>A call as Headscale understands it: the operation, and every value that it would act on, by its declared name.</summary>
/// <param name="Operation">Method and path of the API document.</param>
internal sealed record Understood(
    string Operation, IReadOnlyDictionary<string, string> Path, IReadOnlyDictionary<string, string> Query, IReadOnlyDictionary<string,
    string> Body)
{
    public override string ToString() => $"{Operation} {Text(Path)} {Text(Query)} {Text(Body)}";

    private static string Text(IReadOnlyDictionary<string, string> values) =>
        $"[{string.Join(", ", values.OrderBy(one => one.Key, StringComparer.Ordinal).Select(one => $"{one.Key}={one.Value}"))}]";
}

/// <summary>
/// How Headscale reads requests, written from what its libraries do and as generous as they are: grpc-gateway up to 0.29
/// (both spellings of names, whole paths decoded, unknown members ignored), Huma and encoding/json since (names in any
/// case, the last one wins).
/// </summary>
internal sealed class HeadscaleParser(int version)
{
    private readonly bool _isHuma = version >= 30;

    /// <summary>Null when Headscale would refuse, too.</summary>
    public Understood? Read(string method, string target, byte[] body)
    {
        var mark = target.IndexOf('?', StringComparison.Ordinal);
        var (path, query) = mark < 0 ? (target, "") : (target[..mark], target[(mark + 1)..]);
        foreach (var (_, pattern) in HeadscaleOperations.Of(version).Where(one => one.Method == method))
        {
            if (ReadPath(path, pattern) is { } values)
            {
                var fields = Some.Table.Rules.Single(row => row.Methods.Contains(method) && row.Path.Pattern == pattern);
                // From 0.28 on, listing keys takes no user.
                var declared = fields.Query.Keys.Where(name => !(fields.Id == "keys.list" && version >= 28)).ToArray();
                return ReadQuery(query, declared) is { } parameters && ReadBody(body, fields.Body) is { } members
                    ? new Understood($"{method} {pattern}", values, parameters, members)
                    : null;
            }
        }

        return null;
    }

    /// <summary>Up to 0.28 paths are cleaned and then decoded, in 0.29 decoded; since, segments are decoded one by one.</summary>
    private Dictionary<string, string>? ReadPath(string path, string pattern)
    {
        var whole = _isHuma ? path : Decode(path, plusIsSpace: false);
        var segments = (version <= 28
            ? Clean(whole?.Split('/') ?? [])
            : whole?.Split('/') ?? []).Select(one => _isHuma ? Decode(one, plusIsSpace: false) : one)
            .ToArray();
        var parts = pattern.Split('/');
        if (segments.Length != parts.Length || segments.Contains(null))
        {
            return null;
        }

        var values = new Dictionary<string, string>();
        foreach (var (part, segment) in parts.Zip(segments))
        {
            if (part is ['{', .. var name, '}'])
            {
                if (segment!.Length == 0
                    || (name.EndsWith("Id", StringComparison.Ordinal) || name == "id" ? Number(segment) : segment) is not { } value)
                {
                    return null;
                }

                values[name] = value;
            }
            else if (part != segment)
            {
                return null;
            }
        }

        return values;
    }

    private static string[] Clean(string[] segments)
    {
        var left = new List<string> { "" };
        foreach (var segment in segments.Where(one => one is not ("" or ".")))
        {
            if (segment == "..")
            {
                left.RemoveRange(Math.Max(1, left.Count - 1), left.Count > 1 ? 1 : 0);
            }
            else
            {
                left.Add(segment);
            }
        }

        return [.. left];
    }

    private Dictionary<string, string>? ReadQuery(string query, IReadOnlyList<string> declared)
    {
        var values = new Dictionary<string, string>();
        foreach (var pair in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            if (pair.Contains(';', StringComparison.Ordinal))
            {
                continue;
            }

            var at = pair.IndexOf('=', StringComparison.Ordinal);
            if (Decode(at < 0 ? pair : pair[..at], plusIsSpace: true) is not { } name
                || Decode(at < 0 ? "" : pair[(at + 1)..], plusIsSpace: true) is not { } value)
            {
                continue;
            }

            if (declared.FirstOrDefault(one => one == name || (!_isHuma && Snake(one) == name)) is { } known && !values.TryAdd(known, value)
                && !_isHuma)
            {
                return null;
            }
        }

        return values;
    }

    private Dictionary<string, string>? ReadBody(byte[] body, string? model)
    {
        if (model is null)
        {
            return [];
        }

        if (body.Length == 0)
        {
            return Bodies.All[model].Optional ? [] : null;
        }

        try
        {
            using var json = JsonDocument.Parse(_isHuma ? Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(body)) : body);
            return json.RootElement.ValueKind is JsonValueKind.Object ? ReadMembers(json.RootElement, Bodies.All[model]) : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private Dictionary<string, string>? ReadMembers(JsonElement json, BodyModel model)
    {
        var values = new Dictionary<string, string>();
        foreach (var member in json.EnumerateObject())
        {
            var known = model.Fields.FirstOrDefault(
                one => one.IsIn(new HeadscaleVersion(version))
                    && (_isHuma ? Fold(one.Name) == Fold(member.Name) : one.Name == member.Name || Snake(one.Name) == member.Name));
            if (known is null)
            {
                if (_isHuma)
                {
                    return null;
                }

                continue;
            }

            if (member.Value.ValueKind is JsonValueKind.Null)
            {
                continue;
            }

            if ((values.ContainsKey(known.Name) && !_isHuma) || Value(known.Type, member.Value) is not { } value)
            {
                return null;
            }

            values[known.Name] = value;
        }

        return values;
    }

    /// <summary>Null in JSON leaves a value at zero in both, as if it were not there.</summary>
    private string? Value(FieldType type, JsonElement json) => (type, json.ValueKind) switch
    {
        (FieldType.Text or FieldType.Time, JsonValueKind.String) => json.GetString(),
        (FieldType.Id, JsonValueKind.String) => Number(json.GetString()!),
        (FieldType.Id, JsonValueKind.Number) when !_isHuma =>
            json.TryGetUInt64(out var id)
                ? Number($"{id}")
                : decimal.TryParse(json.GetRawText(), NumberStyles.Float, CultureInfo.InvariantCulture, out var real)
                    && real == decimal.Truncate(real)
                ? $"{real:0}"
                : null,
        (FieldType.Flag, JsonValueKind.True or JsonValueKind.False) => json.GetBoolean() ? "true" : "false",
        (FieldType.List, JsonValueKind.Array) =>
            json.EnumerateArray().All(one => one.ValueKind is JsonValueKind.String)
                ? string.Join('\n', json.EnumerateArray().Select(one => one.GetString()))
                : null,
        _ => null,
    };

    /// <summary>strconv.ParseUint with base 0 up to 0.29 (underscores, prefixes), with base 10 since.</summary>
    private string? Number(string text)
    {
        var plain = _isHuma ? text : text.Replace("_", "", StringComparison.Ordinal);
        if (!_isHuma && plain.Length > 1 && plain[0] == '0')
        {
            var (digits, radix) = char.ToLowerInvariant(plain[1]) switch
            {
                'x' => (plain[2..], 16),
                'b' => (plain[2..], 2),
                'o' => (plain[2..], 8),
                _ => (plain[1..], 8),
            };
            try
            {
                return digits.Length > 0 && digits.All(char.IsAsciiLetterOrDigit) ? $"{Convert.ToUInt64(digits, radix)}" : null;
            }
            catch (Exception e) when (e is FormatException or OverflowException or ArgumentException)
            {
                return null;
            }
        }

        return plain.All(char.IsAsciiDigit) && ulong.TryParse(plain, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? $"{number}"
            : null;
    }

    /// <summary>net/url: a bad escape is an error; bytes are taken as they are.</summary>
    private static string? Decode(string text, bool plusIsSpace)
    {
        var bytes = new List<byte>();
        for (var at = 0; at < text.Length; at++)
        {
            if (text[at] != '%')
            {
                bytes.AddRange(Encoding.UTF8.GetBytes(plusIsSpace && text[at] == '+' ? " " : $"{text[at]}"));
                continue;
            }

            if (at + 2 >= text.Length || !char.IsAsciiHexDigit(text[at + 1]) || !char.IsAsciiHexDigit(text[at + 2]))
            {
                return null;
            }

            bytes.Add(Convert.ToByte(text.Substring(at + 1, 2), 16));
            at += 2;
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }

    /// <summary>encoding/json compares names by simple folding, in which the long s and the Kelvin sign are letters, too.</summary>
    private static string Fold(string name) => name.Replace('\u017f', 's').Replace('\u212a', 'k').ToUpperInvariant();

    private static string Snake(string name) =>
        string.Concat(name.Select(one => char.IsAsciiLetterUpper(one) ? $"_{char.ToLowerInvariant(one)}" : $"{one}"));
}
