using System.Text.Json.Nodes;

namespace Gateway.Sandbox.StandIns;

/// <summary>One call of the v1 API, read.</summary>
/// <param name="Method">The name of the operation in gRPC.</param>
/// <param name="Path">The segments below <c>/api/v1</c>.</param>
/// <param name="Arguments">The arguments of the query.</param>
/// <param name="Body">The members of the body.</param>
internal sealed record TailnetCall(
    string Method, string[] Path, Dictionary<string, string> Arguments, JsonObject Body, int Version)
{
    /// <summary>A time that was not given.</summary>
    public const string Never = "0001-01-01T00:00:00Z";

    /// <summary>A time that is over; the stand-in has no clock.</summary>
    public const string Now = "2026-01-02T00:00:00Z";

    public string Query(string name) => Arguments.GetValueOrDefault(name) ?? "";

    public string? Text(string name) => Body[name]?.GetValue<string>();

    public bool Flag(string name) => Body[name]?.GetValue<bool>() ?? false;

    public string[] Texts(string name) => Body[name] is JsonArray list ? [.. list.Select(one => one!.GetValue<string>())] : [];

    /// <summary>A failure of what was begun, whose status depends on the version; 0.30 tells its cause.</summary>
    public StandInFailure Failure(int upTo29, int since30, string message) =>
        new(Version < 30 ? upTo29 : since30, message) { Cause = message };

    /// <summary>Refuses tags that are none, in every version.</summary>
    public void CheckTags(IEnumerable<string> tags, int upTo29)
    {
        foreach (var tag in tags)
        {
            if (!tag.StartsWith("tag:", StringComparison.Ordinal))
            {
                throw Failure(upTo29, 400, "tag must start with the string 'tag:'");
            }

            if (tag.Any(char.IsUpper))
            {
                throw Failure(upTo29, 400, "tag should be lowercase");
            }
        }
    }
}
