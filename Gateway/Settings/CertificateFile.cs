using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Gateway.Settings;

/// <summary>A file with certificates or their key, which must be there at the start.</summary>
internal static class CertificateFile
{
    /// <summary>
    /// The file that <paramref name="key"/> names, added to <paramref name="files"/>; complains when there is no certificate in it.
    /// </summary>
    public static string? Read(YamlMap map, string key, IReadOnlyDictionary<string, string> environment, ICollection<string> files) =>
        Read(map, key, environment, files, text => HasCertificate(text) ? null : "there is no certificate in PEM in it");

    /// <summary>Likewise the file of a private key.</summary>
    public static string? ReadKey(
        YamlMap map, string key, IReadOnlyDictionary<string, string> environment, ICollection<string> files) =>
        Read(map, key, environment, files, text => PrivateKeyFile.Complaint(new Secret(text)));

    private static string? Read(
        YamlMap map, string key, IReadOnlyDictionary<string, string> environment, ICollection<string> files,
        Func<string, string?> complaintOf)
    {
        if (map.Text(key) is not { } written)
        {
            return null;
        }

        var file = SecretFiles.Expand(map, key, written, environment);
        files.Add(file);
        try
        {
            if (complaintOf(File.ReadAllText(file)) is { } complaint)
            {
                map.Complain(key, $"{written}: {complaint}");
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            map.Complain(key, SecretFiles.UnreadableComplaint(written, e));
        }

        return file;
    }

    private static bool HasCertificate(string text)
    {
        try
        {
            var found = new X509Certificate2Collection();
            found.ImportFromPem(text);
            return found.Count > 0;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }
}
