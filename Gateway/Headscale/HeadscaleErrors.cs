using System.Text.Json;

namespace Gateway.Headscale;

/// <summary>Reads Headscale's errors: gRPC status up to 0.29, problem details since, Tailscale's form under /api/v2.</summary>
internal static class HeadscaleErrors
{
    /// <summary>The words of an error; null when there are none.</summary>
    public static string? TextOf(ReadOnlyMemory<byte> answer)
    {
        try
        {
            using var json = JsonDocument.Parse(answer);
            var root = json.RootElement;
            if (root.ValueKind is not JsonValueKind.Object)
            {
                return null;
            }

            var text = root.Text("message") is { Length: > 0 } message ? message : root.Text("detail");
            var more = Messages(root).ToArray();
            return more.Length > 0 ? $"{text}: {string.Join("; ", more)}" : text.Length > 0 ? text : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>gRPC's code in an error; null when there is none.</summary>
    public static int? CodeOf(ReadOnlyMemory<byte> answer)
    {
        try
        {
            using var json = JsonDocument.Parse(answer);
            return json.RootElement is { ValueKind: JsonValueKind.Object } root && root.TryGetProperty("code", out var code)
                && code.TryGetInt32(out var number) ? number : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>What exactly is wrong: <c>errors[].message</c> of problem details, <c>data[].errors[]</c> of /api/v2.</summary>
    private static IEnumerable<string> Messages(JsonElement root)
    {
        foreach (var error in Items(root, "errors"))
        {
            if (error.ValueKind is JsonValueKind.Object && error.Text("message") is { Length: > 0 } message)
            {
                yield return message;
            }
        }

        foreach (var item in Items(root, "data"))
        {
            foreach (var message in item.ValueKind is JsonValueKind.Object ? item.Texts("errors") : [])
            {
                yield return message;
            }
        }
    }

    private static JsonElement[] Items(JsonElement json, string name) =>
        json.TryGetProperty(name, out var list) && list.ValueKind is JsonValueKind.Array ? [.. list.EnumerateArray()] : [];
}
