using System.Text.Json.Serialization;
using Gateway.Documents;

namespace Gateway.Users;

/// <summary>What somebody wrote about a pre-auth key. Headscale has no place for it.</summary>
/// <param name="Key">Headscale's id of the key.</param>
/// <param name="Text">At most <see cref="KeyNotes.Longest"/> characters.</param>
internal sealed record KeyNote(string Key, string Text);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(KeyNote))]
internal sealed partial class KeyNoteJson : JsonSerializerContext;

/// <summary>Descriptions of pre-auth keys. Ids of keys are not given twice, so none comes to mean another key.</summary>
internal sealed class KeyNotes(DocumentSet documents)
{
    public const string Kind = "key-note";

    /// <summary>In characters.</summary>
    public const int Longest = 100;

    private readonly DocumentCollection<KeyNote> _notes =
        documents.Add(new DocumentCollection<KeyNote>(Kind, KeyNoteJson.Default.KeyNote, one => one.Key, _ => []));

    /// <summary>What a key is for; null where nobody wrote it.</summary>
    public string? Of(string key) => _notes.Snapshot.Find($"{Kind}/{key}")?.Text;

    /// <summary>Writes it down.</summary>
    /// <param name="text">At most <see cref="Longest"/> characters.</param>
    /// <exception cref="Settings.StoreException">It could not be stored.</exception>
    public Task<bool> SetAsync(string key, string text) => documents.ChangeAsync(batch =>
    {
        batch.Put(_notes, new KeyNote(key, text));
        return true;
    });
}
