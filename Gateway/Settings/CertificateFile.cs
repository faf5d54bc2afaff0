namespace Gateway.Settings;

/// <summary>A file with certificates or their key, which must be there at the start.</summary>
internal static class CertificateFile
{
    /// <summary>The file that <paramref name="key"/> names, added to <paramref name="files"/>; complains when it cannot be read.</summary>
    public static string? Read(YamlMap map, string key, ICollection<string> files)
    {
        if (map.Text(key) is not { } file)
        {
            return null;
        }

        files.Add(file);
        try
        {
            _ = File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            map.Complain(key, $"cannot be read: {e.Message}");
        }

        return file;
    }
}
